// Two runs against each other: means, a scatter of samples, identities, and the samples that differ most.

const Contrast = {
  each: [],

  close() {
    for (const players of Contrast.each) players.close();
    Contrast.each = [];
  },

  async render(holder) {
    const { runs } = Data.index;
    holder.replaceChildren(element("p", { class: "empty", text: "Loading…" }));
    Data.contrast ??= await load("contrast", "contrast");
    if (Address.state.view !== "compare") return;
    const found = Data.contrast;
    if (!found) {
      holder.replaceChildren(element("p", { class: "empty", text: "Two finished runs that share samples and metrics can be compared." }));
      return;
    }
    const chosen = found.metrics.find(({ name }) => name === Address.state.sort)
      ?? found.metrics.find(({ difference }) => difference !== null && difference !== 0) ?? found.metrics[0];
    const choose = element("select", { id: "contrast-metric", on: { change: (event) => {
      Address.go({ sort: event.target.value }, { quiet: true });
      Contrast.close();
      Contrast.render(holder).then(() => document.getElementById("contrast-metric").focus());
    } } });
    for (const { name } of found.metrics) {
      const metric = Data.metrics.get(name);
      choose.append(element("option", { value: name, text: `${metric.title} ${arrow(metric)}` }));
    }
    choose.value = chosen.name;
    const metric = Data.metrics.get(chosen.name);
    const different = Object.keys(found.not_comparable);
    holder.replaceChildren(
      different.length ? element("p", { class: "warn", role: "note", text: `These runs do not compare (${different.join(", ")} differ): read nothing into the differences.` }) : "",
      meansTable(found),
      element("p", { class: "legend", text: `${found.samples} samples of ${found.identities} identities are in both runs. ${found.intervals}; * where the difference is larger than chance, corrected after Holm.` }),
      found.caution ? element("p", { class: "warn small", text: found.caution }) : "",
      element("div", { class: "controls contrast-choice" }, element("label", {}, "Metric", choose)),
      element("div", { class: "contrast" },
        element("section", { "aria-labelledby": "scatter-title" },
          element("h2", { id: "scatter-title", text: "Every sample" }),
          element("p", { class: "legend", text: "Above the line the second run has the larger value. A click opens the sample." }),
          scatter(metric, runs)),
        element("section", { "aria-labelledby": "people-title" },
          element("h2", { id: "people-title", text: "By identity" }),
          element("p", { class: "legend", text: `${runs[0].name} − ${runs[1].name}, mean and 95 % interval over the identity's own samples.` }),
          identityDifferences(metric, found.by_identity[metric.name]))),
      element("section", { "aria-labelledby": "most-title" },
        element("h2", { id: "most-title", text: "Samples that differ most" }),
        element("div", { class: "most" }, ...chosen.most.map((one) => differingSample(one, metric)))),
    );
  },
};

function signed(value, metric) {
  if (value === null) return "–";
  return (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(metric.decimals);
}

function meansTable(found) {
  const { runs } = Data.index;
  const rows = found.metrics.map((one) => {
    const metric = Data.metrics.get(one.name);
    return element("tr", {},
      element("th", { scope: "row" }, metricTitle(metric)),
      element("td", { class: "num", text: shown(one.mean_a, metric) }),
      element("td", { class: "num", text: shown(one.mean_b, metric) }),
      element("td", { class: "num" }, element("b", { text: signed(one.difference, metric) + (one.clear ? "*" : "") })),
      element("td", { class: "num", text: one.low === null ? "–" : `${signed(one.low, metric)} to ${signed(one.high, metric)}` }),
      element("td", { class: "num", text: one.wins_a === null ? "–" : `${one.wins_a} / ${one.wins_b} / ${one.ties}` }));
  });
  const head = (text, run) => element("th", { scope: "col", class: "num" }, run === undefined ? null : swatch(run), element("span", { text, dir: "auto" }));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Means of both runs" },
    element("table", { class: "numbers" }, element("caption", { class: "unseen", text: "Means of both runs and their differences" }),
      element("thead", {}, element("tr", {}, element("th", { scope: "col", text: "Metric" }), head(runs[0].name, 0), head(runs[1].name, 1),
        head("Difference"), head("95 % interval"), head("wins / losses / ties"))),
      element("tbody", {}, ...rows)));
}

function scatter(metric, runs) {
  const side = 340;
  const [left, bottom] = [44, 30];
  const points = Data.index.samples.flatMap((_, number) => {
    const [a, b] = [0, 1].map((run) => Data.value(run, metric.name, number));
    return a === null || b === null ? [] : [{ number, a, b }];
  });
  const drawing = element("svg:svg", { viewBox: `0 0 ${side} ${side}`, class: "scatter curve-drawing" });
  if (!points.length) return element("p", { class: "empty", text: "No sample has a value in both runs." });
  let low = Infinity;
  let high = -Infinity;
  for (const { a, b } of points) {
    low = Math.min(low, a, b);
    high = Math.max(high, a, b);
  }
  const pad = 0.05 * (high - low) || 0.5;
  [low, high] = [low - pad, high + pad];
  const x = (value) => left + ((side - left - 8) * (value - low)) / (high - low);
  const y = (value) => side - bottom - ((side - bottom - 8) * (value - low)) / (high - low);
  for (const tick of ticksOf(low, high, 5)) {
    drawing.append(
      element("svg:line", { x1: left, x2: side - 8, y1: y(tick), y2: y(tick), class: "rule" }),
      element("svg:line", { x1: x(tick), x2: x(tick), y1: 8, y2: side - bottom, class: "rule" }),
      element("svg:text", { x: left - 5, y: y(tick), class: "tick end", text: tickLabel(tick) }),
      element("svg:text", { x: x(tick), y: side - bottom + 10, class: "tick", text: tickLabel(tick) }));
  }
  drawing.append(
    element("svg:line", { x1: x(low), y1: y(low), x2: x(high), y2: y(high), class: "diagonal" }),
    element("svg:text", { x: (left + side) / 2, y: side - 5, class: "tick", text: runs[0].name }),
    element("svg:text", { x: 8, y: (side - bottom) / 2, class: "tick", transform: `rotate(-90 8 ${(side - bottom) / 2})`, text: runs[1].name }));
  for (const { number, a, b } of points) {
    const name = Data.index.samples[number];
    const dot = element("svg:circle", { cx: x(a), cy: y(b), r: points.length > 200 ? 2.4 : 4, class: "point", data: { number } },
      element("svg:title", { text: `${name}: ${shown(a, metric)}, ${shown(b, metric)}` }));
    drawing.append(dot);
  }
  drawing.addEventListener("click", (event) => {
    const { number } = event.target.closest(".point")?.dataset ?? {};
    if (number === undefined) return;
    Address.go({ view: "sample", sample: Data.index.samples[number], frame: "" });
    render();
  });
  return element("div", { role: "img", "aria-label": `${metric.title} of ${points.length} samples: ${runs[0].name} across, ${runs[1].name} up; the table and the list say the same` }, drawing);
}

function identityDifferences(metric, rows) {
  const sorted = [...rows].sort((one, other) => one[1] - other[1]);
  const ends = sorted.flatMap(([, mean, low, high]) => [mean, low ?? mean, high ?? mean, 0]);
  let [least, most] = [Math.min(...ends), Math.max(...ends)];
  if (least === most) [least, most] = [least - 1, most + 1];
  const place = (value) => `${(100 * (value - least)) / (most - least)}%`;
  const list = element("ul", { class: "spans", tabindex: "0", "aria-label": "Differences by identity" });
  for (const [name, mean, low, high] of sorted) {
    const track = element("span", { class: "span-track", "aria-hidden": "true" });
    const zero = element("i", { class: "zero" });
    zero.style.left = place(0);
    track.append(zero);
    if (low !== null) {
      const span = element("i", { class: "span" });
      span.style.left = place(low);
      span.style.width = `${(100 * (high - low)) / (most - least)}%`;
      track.append(span);
    }
    const dot = element("i", { class: "span-dot" });
    dot.style.left = place(mean);
    track.append(dot);
    const words = low === null ? "one sample" : `${signed(low, metric)} to ${signed(high, metric)}`;
    list.append(element("li", { title: words }, element("span", { class: "cut", text: name, dir: "auto" }), track,
      element("b", { text: signed(mean, metric) }), element("span", { class: "unseen", text: words })));
  }
  return list;
}

/** A sample as two players that start together. */
function differingSample({ sample, a, b }, metric) {
  const { runs } = Data.index;
  const number = Data.numbers.get(sample);
  const card = element("article", { class: "differing" });
  const screens = runs.map((run, k) => {
    const box = element("div", { class: "screen" });
    if (!run.video[number]) box.append(poster(k, number, `A frame of the video of ${run.name}`));
    return box;
  });
  const given = runs.flatMap((run, k) => (run.video[number] ? [{ run: k, src: `videos/${k}/${number}.mp4`, preload: "metadata" }] : []));
  for (const one of given) one.onError = () => screens[one.run].replaceChildren(poster(one.run, number, ""));
  const players = new Players(given, () => {});
  players.loop = false;
  players.players.forEach((player) => {
    player.video.setAttribute("aria-label", `Video of ${runs[player.run].name}`);
    screens[player.run].append(player.video);
  });
  Contrast.each.push(players);
  const play = element("button", { type: "button", text: "▶ Play", "aria-label": `Play ${sample}`, on: { click: () => players.toggle() } });
  players.changed = () => {
    play.textContent = players.playing ? "⏸ Stop" : "▶ Play";
  };
  card.append(
    element("h3", {}, element("a", { href: Address.of({ view: "sample", sample, frame: "" }), text: sample, dir: "auto" })),
    element("div", { class: "pair" }, ...screens),
    element("p", {}, given.length ? play : null,
      element("span", {}, swatch(0), shown(a, metric)), element("span", {}, swatch(1), shown(b, metric)),
      element("b", { text: signed(a - b, metric) })));
  return card;
}
