// Drawings of curves, events and distributions; a cursor follows the videos.

const CHART = { width: 320, height: 96, left: 38, right: 6, top: 6, bottom: 18 };

function roundStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9));
}

function ticksOf(low, high, count) {
  const step = roundStep((high - low) / count);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) ticks.push(k * step);
  return ticks;
}

function tickLabel(value) {
  return String(Number(value.toPrecision(4)));
}

/**
 * One metric over time, a line per run. Returns the figure and `at(seconds)`, which moves its cursor.
 * A line stops where a frame has no value; a mark below says so.
 */
function curveChart(metric, curves, seconds, jump) {
  const { width, height, left, right, top, bottom } = CHART;
  const known = curves.flatMap(({ curve }) => curve.values.filter((value) => value !== null));
  let low = Math.min(...known);
  let high = Math.max(...known);
  if (!known.length) [low, high] = [0, 1];
  const pad = 0.06 * (high - low) || 0.5 * Math.abs(high) || 0.5;
  // No axis says what cannot be: values lie within the metric's bounds.
  const [least, most] = metric.bounds;
  low = Math.max(low - pad, Math.min(low, least ?? -Infinity));
  high = Math.min(high + pad, Math.max(high, most ?? Infinity));
  const x = (time) => left + ((width - left - right) * time) / seconds;
  const y = (value) => height - bottom - ((height - top - bottom) * (value - low)) / (high - low);

  const drawing = element("svg:svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", class: "curve-drawing" });
  for (const tick of ticksOf(low, high, 3)) {
    drawing.append(
      element("svg:line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "rule" }),
      element("svg:text", { x: left - 5, y: y(tick), class: "tick end", text: tickLabel(tick) }),
    );
  }
  for (const tick of ticksOf(0, seconds, 4)) {
    drawing.append(element("svg:text", { x: x(tick), y: height - 6, class: "tick", text: `${tickLabel(tick)} s` }));
  }
  for (const { run, curve } of curves) {
    let pen = "M";
    let path = "";
    curve.times.forEach((time, k) => {
      const value = curve.values[k];
      if (value === null) {
        pen = "M";
        drawing.append(
          element("svg:line", { x1: x(time), x2: x(time), y1: height - bottom - 4, y2: height - bottom, class: "gap" }),
        );
        return;
      }
      path += `${pen}${x(time).toFixed(1)},${y(value).toFixed(1)}`;
      pen = "L";
      if (curve.times.length <= 40) {
        drawing.append(element("svg:circle", { cx: x(time), cy: y(value), r: 1.8, class: `dot-of run-${run}` }));
      }
    });
    drawing.append(element("svg:path", { d: path, class: `line run-${run}` }));
  }
  const cursor = element("svg:line", { y1: top, y2: height - bottom, x1: left, x2: left, class: "cursor-line" });
  drawing.append(cursor);
  const readout = element("span", { class: "readout" });
  const words = curves.map(({ run, curve }) => {
    const there = curve.values.filter((value) => value !== null);
    const name = Data.index.runs[run].name;
    return there.length
      ? `${name} from ${shown(Math.min(...there), metric)} to ${shown(Math.max(...there), metric)}`
      : `${name}: no frame has a value`;
  });
  const figure = element(
    "figure",
    { class: "curve", data: { metric: metric.name } },
    element("figcaption", {}, metricTitle(metric), readout),
    element("div", { role: "img", "aria-label": `${metric.title} over ${seconds.toFixed(2)} s: ${words.join("; ")}` }, drawing),
  );
  const timeAt = (event) => {
    const area = drawing.getBoundingClientRect();
    const place = ((event.clientX - area.left) / area.width) * width;
    return Math.max(0, Math.min(seconds, ((place - left) / (width - left - right)) * seconds));
  };
  const at = (time) => {
    cursor.setAttribute("x1", x(Math.min(time, seconds)));
    cursor.setAttribute("x2", x(Math.min(time, seconds)));
    readout.replaceChildren(
      ...curves.map(({ run, curve }) => {
        const k = nearest(curve.times, time);
        return element("span", { class: `run-text run-${run}`, text: shown(curve.values[k], metric) });
      }),
    );
  };
  drawing.addEventListener("click", (event) => jump(timeAt(event)));
  at(0);
  return { figure, at };
}

/** The place of the time nearest to one. Times ascend. */
function nearest(times, wanted) {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= wanted) low = middle;
    else high = middle;
  }
  return Math.abs(times[high] - wanted) < Math.abs(times[low] - wanted) ? high : low;
}

/** Prompted events as bars, and below them where each run's video shows them. */
function eventBars(events, found, seconds, jump) {
  const bar = (start, end, className, words) => {
    const made = element("button", { type: "button", class: `bar ${className}`, title: words, "aria-label": words });
    made.style.left = `${(100 * start) / seconds}%`;
    made.style.width = `${Math.max(0.6, (100 * (Math.min(end, seconds) - start)) / seconds)}%`;
    made.addEventListener("click", () => jump(start));
    return made;
  };
  const lane = (name, bars, place) =>
    element("div", { class: "lane" }, element("span", { class: "lane-name" }, place === null ? null : swatch(place), name),
      element("div", { class: "track" }, ...bars));
  const lanes = [
    lane("prompted", events.map(([start, end, text], k) => {
      const made = bar(start, end, `event-${(k % 6) + 1}`, `Event ${k + 1}, ${start} to ${end} s: ${text}`);
      made.textContent = k + 1;
      return made;
    }), null),
  ];
  for (const { run, spans } of found) {
    lanes.push(
      lane(Data.index.runs[run].name, spans.flatMap((span, k) => {
        if (span === null) return [];
        const made = bar(...span, `event-${(k % 6) + 1}`, `Event ${k + 1} found from ${span[0]} to ${span[1]} s`);
        made.textContent = k + 1;
        return [made];
      }), run),
    );
  }
  const cursors = lanes.map((each) => {
    const cursor = element("span", { class: "track-cursor", "aria-hidden": "true" });
    each.querySelector(".track").append(cursor);
    return cursor;
  });
  const at = (time) => {
    for (const cursor of cursors) cursor.style.left = `${(100 * Math.min(time, seconds)) / seconds}%`;
  };
  return { figure: element("div", { class: "lanes" }, ...lanes), at };
}

/** How one metric's values are spread over all samples, with a mark per run at this sample's value. */
function distribution(metric, marks) {
  const width = 120;
  const height = 26;
  const bins = 24;
  const values = Data.index.runs.flatMap((run) => (run.values[metric.name] ?? []).filter((value) => value !== null));
  const drawing = element("svg:svg", { viewBox: `0 0 ${width} ${height + 6}`, class: "spread", "aria-hidden": "true" });
  if (!values.length) return drawing;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const x = (value) => (high > low ? (width * (value - low)) / (high - low) : width / 2);
  const counts = new Array(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((bins * x(value)) / width))] += 1;
  const most = Math.max(...counts);
  counts.forEach((count, k) => {
    if (!count) return;
    const tall = Math.max(1, (height * count) / most);
    drawing.append(
      element("svg:rect", { x: (k * width) / bins + 0.5, y: height - tall, width: width / bins - 1, height: tall, class: "bin" }),
    );
  });
  for (const { run, value } of marks) {
    if (value === null) continue;
    drawing.append(element("svg:rect", { x: Math.min(width - 3, Math.max(0, x(value) - 1.5)), y: 0, width: 3, height: height + 6, class: `mark run-${run}` }));
  }
  return drawing;
}

/** Place of a value among a run's, best first, in words; empty where there is none. */
function rankOf(run, metric, number) {
  const value = Data.value(run, metric.name, number);
  if (value === null || metric.higher === null) return "";
  let better = 0;
  let known = 0;
  let equal = 0;
  for (const other of Data.index.runs[run].values[metric.name]) {
    if (other === null) continue;
    known += 1;
    better += metric.higher ? other > value : other < value;
    equal += other === value;
  }
  return `${equal > 1 ? "=" : ""}${better + 1} of ${known}`;
}
