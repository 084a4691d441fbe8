"use strict";

// Small pieces that every part of the page uses. Texts are set as text, never as markup.

/** An element. Keys of `given`: class, text, data, on (events), anything else is an attribute. */
function element(tag, given = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") made.textContent = value;
    else if (key === "data") Object.assign(made.dataset, value);
    else if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A value with its metric's decimals; a dash where there is none. */
function shown(value, metric) {
  return value === null || value === undefined ? "–" : value.toFixed(metric.decimals);
}

function arrow(metric) {
  return metric.higher === null ? "" : metric.higher ? "↑" : "↓";
}

/** A metric's title with its direction, for eyes and for screen readers. */
function metricTitle(metric) {
  const title = element("span", { text: metric.title });
  if (metric.higher !== null) {
    title.append(
      element("span", { class: "direction", "aria-hidden": "true", text: arrow(metric) }),
      element("span", { class: "unseen", text: ` (${metric.higher ? "higher" : "lower"} is better)` }),
    );
  }
  return title;
}

/** The sign of a run: a square of its colour. */
function swatch(place) {
  return element("span", { class: `swatch run-${place}`, "aria-hidden": "true" });
}

const STATUSES = { s: "scored", m: "missing", u: "undecodable", c: "crashed", ".": "no row" };

/** A poster of a run's video of a sample: the middle one of its five stills, or the one under the pointer. */
function poster(run, number, words) {
  const { status, strip, aspect } = Data.index.runs[run];
  if (!strip[number]) {
    const why = status[number] === "s" ? "no frames" : STATUSES[status[number]];
    return element("span", { class: "poster" }, element("span", { class: "empty", text: why }));
  }
  const frame = element("span", { class: "frame" });
  const box = element("span", { class: "poster" }, frame);
  const image = element("img", { alt: words, decoding: "async", loading: "lazy" });
  const show = (number) => {
    frame.style.setProperty("--at", number);
  };
  frame.style.setProperty("--aspect", aspect[number] || 16 / 9);
  image.addEventListener("error", () => {
    frame.replaceChildren(element("span", { class: "empty", text: "no frames" }));
  });
  image.src = `strips/${run}/${number}.webp`;
  frame.append(image);
  show(2);
  box.addEventListener("pointermove", (event) => {
    const area = box.getBoundingClientRect();
    show(Math.max(0, Math.min(4, Math.floor((5 * (event.clientX - area.left)) / area.width))));
  });
  box.addEventListener("pointerleave", () => show(2));
  return box;
}

/** A reference picture with the face that counts. */
function reference(given, identity) {
  const picture = element("span", { class: "boxed" });
  picture.append(element("img", { src: given.src, alt: `Reference picture of ${identity}`, decoding: "async" }));
  if (given.box) {
    const [left, top, right, bottom] = given.box.map((share) => 100 * share);
    const outline = element("svg:rect", {
      x: left, y: top, width: right - left, height: bottom - top, "vector-effect": "non-scaling-stroke",
    });
    picture.append(
      element("svg:svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, outline),
    );
  }
  return picture;
}
