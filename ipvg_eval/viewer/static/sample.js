// One sample: references, prompt, the videos side by side, and everything that is known of them.

const STATE_WORDS = { changed: "changed", unscored: "not scored", none: "still" };

const SampleView = {
  players: null,

  close() {
    SampleView.players?.close();
    SampleView.players = null;
  },

  leave() {
    const { sample } = Address.state;
    Address.go({ view: "grid", sample: "", frame: "" });
    render();
    const place = Grid.numbers.indexOf(Data.numbers.get(sample));
    if (place < 0) return;
    scrollTo(0, Grid.list.offsetTop + Math.floor(place / Grid.size.columns) * Grid.size.row - innerHeight / 3);
    Grid.show();
    Grid.rows.get(place)?.querySelector("a").focus({ preventScroll: true });
  },

  /** The next sample in the order of the list. */
  next(by) {
    const order = chosenSamples();
    const place = order.indexOf(Data.numbers.get(Address.state.sample));
    const number = order[place + by];
    if (number === undefined) return;
    Address.go({ sample: Data.index.samples[number], frame: "" }, { quiet: true });
    render();
  },

  async render(holder) {
    const name = Address.state.sample;
    const number = Data.numbers.get(name);
    const order = chosenSamples();
    const place = order.indexOf(number);
    const identity = Data.identity(number);
    const step = (words, by) => {
      const to = order[place + by];
      const known = place >= 0 && to !== undefined;
      return element("button", { type: "button", disabled: !known, text: words, on: { click: () => SampleView.next(by) } });
    };
    const title = element("h2", { tabindex: "-1", text: name, dir: "auto" });
    const body = element("div", { class: "sample-body" }, element("p", { class: "empty", text: "Loading…" }));
    holder.replaceChildren(
      element("div", { class: "sample-bar" },
        element("button", { type: "button", text: "← All samples", on: { click: () => SampleView.leave() } }),
        title,
        element("span", { class: "muted", text: `identity ${identity}`, dir: "auto" }),
        element("span", { class: "steps" }, step("‹ Previous", -1),
          element("span", { class: "muted", text: place < 0 ? "" : `${place + 1} of ${order.length}` }), step("Next ›", 1))),
      body,
    );
    scrollTo(0, 0);
    title.focus({ preventScroll: true });
    let details;
    try {
      details = await Data.detailsOf(number);
    } catch (error) {
      body.replaceChildren(element("p", { class: "empty", text: error.message }));
      return;
    }
    if (Address.state.sample === name && Address.state.view === "sample") showDetails(body, details, number, identity);
  },
};

function showDetails(body, details, number, identity) {
  const { runs } = Data.index;
  const cursors = [];
  const playable = [];
  const takes = details.runs.map((run, k) => {
    const figure = element("figure", { class: "player" });
    const caption = element("figcaption", {}, swatch(k), element("b", { text: runs[k].name, dir: "auto", class: "cut" }));
    if (run === null) {
      figure.append(element("p", { class: "empty", text: "no row of this sample" }), caption);
      return figure;
    }
    if (run.status !== "scored") caption.append(element("span", { class: `pill ${run.status}`, text: run.status }));
    if (run.state !== "scored" && (run.state !== "none" || run.status !== "missing")) {
      caption.append(element("span", { class: `tag state-${run.state}`, text: STATE_WORDS[run.state], title: run.words }));
    }
    const still = (words) =>
      element("div", { class: "still" },
        run.status === "missing" ? null : poster(k, number, `A frame of the video of ${runs[k].name}`),
        element("p", { class: "empty", text: words }));
    if (run.state === "none" || !runs[k].video[number]) figure.append(still(run.status === "missing" ? run.remarks[0] ?? "missing" : "a still: " + (run.words || "no video")));
    else {
      const given = { run: k, src: `videos/${k}/${number}.mp4`, fps: run.fps, seconds: run.seconds };
      given.onError = () => given.video.parentElement.replaceWith(still("The video is not here, or this browser does not play it; a still."));
      playable.push(given);
      given.place = figure;
    }
    figure.append(caption);
    if (run.state === "changed") figure.append(element("p", { class: "warn small", text: run.words }));
    if (run.facts) figure.append(element("p", { class: "muted small", text: run.facts }));
    return figure;
  });

  const clock = element("output", { class: "clock", text: "frame 0" });
  const players = new Players(playable, (time, frame) => {
    const lead = players.lead;
    const last = Math.max(0, Math.round((lead.seconds ?? 0) * lead.rate) - 1);
    clock.textContent = `frame ${frame} of ${last + 1} · ${time.toFixed(2)} s`;
    slider.max = last;
    if (document.activeElement !== slider || players.playing) slider.value = frame;
    for (const at of cursors) at(time);
    if (!players.playing) Address.go({ frame: frame ? String(frame) : "" }, { quiet: true });
  });
  SampleView.players = players;
  players.players.forEach((player, k) => {
    playable[k].video = player.video;
    player.video.setAttribute("aria-label", `Video of ${runs[player.run].name}`);
    const { faces } = details.runs[player.run];
    player.place.prepend(element("div", { class: "screen" }, player.video, faces ? faceBox(faces, player) : null));
  });

  const play = element("button", { type: "button", class: "play", text: "▶ Play", on: { click: () => players.toggle() } });
  players.changed = () => {
    play.textContent = players.playing ? "⏸ Stop" : "▶ Play";
  };
  const slider = element("input", { type: "range", min: 0, max: 1, value: 0, step: 1, "aria-label": "Frame", on: { input: () => players.show(Number(slider.value)) } });
  const speed = element("select", { on: { change: () => players.speed(Number(speed.value)) } },
    ...[0.25, 0.5, 1, 2].map((rate) => element("option", { value: rate, text: `${rate} ×` })));
  speed.value = "1";
  const heard = element("select", { on: { change: () => players.listen(heard.value === "" ? null : Number(heard.value)) } },
    element("option", { value: "", text: "off" }), ...playable.map(({ run }) => element("option", { value: run, text: runs[run].name })));
  const loop = element("input", { type: "checkbox", checked: true, on: { change: () => {
    players.loop = loop.checked;
  } } });
  const transport = playable.length
    ? element("div", { class: "transport", role: "group", "aria-label": "Playing" }, play,
        element("button", { type: "button", text: "[", "aria-label": "One frame back", on: { click: () => players.step(-1) } }),
        element("button", { type: "button", text: "]", "aria-label": "One frame on", on: { click: () => players.step(1) } }),
        slider, clock,
        element("label", {}, "speed", speed), element("label", {}, loop, "loop"), element("label", {}, "sound", heard))
    : null;

  const seconds = Math.max(...details.runs.map((run) => run?.seconds ?? 0), ...details.events.map(([, end]) => end), 0.1);
  const jump = (time) => {
    if (players.playing) players.pause();
    players.seek(time);
    if (!playable.length) for (const at of cursors) at(time);
  };
  body.replaceChildren(
    askedFor(details, identity),
    element("div", { class: "players", data: { count: takes.length } }, ...takes),
    ...(transport ? [transport] : []),
    ...eventSection(details, seconds, jump, cursors),
    ...faceSection(details, number, jump, cursors),
    ...curveSection(details, seconds, jump, cursors),
    numbersSection(details, number),
    ...findingSection(details),
  );
  const frame = Number(Address.state.frame || 0);
  const lead = players.lead;
  if (lead !== undefined) {
    const start = () => players.show(frame);
    if (lead.video.readyState >= 1) start();
    else lead.video.addEventListener("loadedmetadata", start, { once: true });
    for (const { video } of players.players) {
      if (video !== lead.video) video.addEventListener("loadedmetadata", start, { once: true });
    }
  }
}

function askedFor(details, identity) {
  const pictures = details.references.map((each) =>
    element("figure", {}, reference(each, each.label || identity), each.label ? element("figcaption", { text: each.label, dir: "auto" }) : null));
  const events = details.events.map(([start, end, text], k) =>
    element("li", {}, element("b", { class: `event-number event-${(k % 6) + 1}`, text: k + 1 }),
      element("span", { class: "muted", text: ` ${start}–${end} s ` }), element("span", { text, dir: "auto" })));
  return element("div", { class: "asked" },
    element("div", { class: "asked-pictures" }, ...pictures),
    element("div", { class: "asked-words" },
      details.prompt ? element("p", { class: "whole-prompt", text: details.prompt, dir: "auto" }) : null,
      events.length ? element("ol", { class: "asked-events" }, ...events) : null,
      details.prompt || events.length ? null : element("p", { class: "empty", text: "The prompt is not known here: give the test set with --testset." })));
}

function eventSection(details, seconds, jump, cursors) {
  if (!details.events.length) return [];
  const found = details.runs.flatMap((run, k) => (run?.found ? [{ run: k, spans: run.found }] : []));
  const { figure, at } = eventBars(details.events, found, seconds, jump);
  cursors.push(at);
  return [element("section", { "aria-labelledby": "events-title" }, element("h3", { id: "events-title", text: "Events" }), figure)];
}

function curveSection(details, seconds, jump, cursors) {
  const charts = Data.index.metrics.flatMap((metric) => {
    const curves = details.runs.flatMap((run, k) => {
      const curve = run?.curves.find((each) => each.metric === metric.name);
      return curve ? [{ run: k, curve }] : [];
    });
    if (!curves.length) return [];
    const { figure, at } = curveChart(metric, curves, seconds, jump);
    cursors.push(at);
    return [figure];
  });
  if (!charts.length) return [];
  return [
    element("section", { "aria-labelledby": "curves-title" }, element("h3", { id: "curves-title", text: "Frame by frame" }),
      element("p", { class: "legend", text: "A click shows that frame. A red mark: no value in this frame." }),
      element("div", { class: "curves" }, ...charts)),
  ];
}

function numbersSection(details, number) {
  const { runs } = Data.index;
  const rows = Data.index.metrics.map((metric) => {
    const values = runs.map((run, k) => ({ run: k, value: Data.value(k, metric.name, number) }));
    const cells = values.map(({ run, value }) => {
      const rank = rankOf(run, metric, number);
      const measured = runs[run].metrics.includes(metric.name);
      return element("td", { class: "num" },
        value === null
          ? element("span", { class: "none", text: measured ? "–" : "not measured" })
          : element("b", { text: shown(value, metric) }),
        rank ? element("span", { class: "rank muted", text: ` ${rank}` }) : null);
    });
    const difference = runs.length === 2 ? [element("td", { class: "num", text: differenceOf(values, metric) })] : [];
    return element("tr", { data: { metric: metric.name } },
      element("th", { scope: "row", title: metric.summary }, metricTitle(metric), metric.proxy ? element("span", { class: "tag", text: "proxy" }) : null,
        metric.unit ? element("span", { class: "muted", text: ` ${metric.unit}` }) : null),
      ...cells, ...difference,
      element("td", {}, distribution(metric, values)));
  });
  const head = element("tr", {}, element("th", { scope: "col", text: "Metric" }),
    ...runs.map((run, k) => element("th", { scope: "col", class: "num" }, swatch(k), element("span", { text: run.name, dir: "auto" }))),
    ...(runs.length === 2 ? [element("th", { scope: "col", class: "num", text: "Difference" })] : []),
    element("th", { scope: "col", text: "Among all samples" }));
  return element("section", { "aria-labelledby": "numbers-title" },
    element("h3", { id: "numbers-title", text: "Numbers" }),
    element("p", { class: "legend", text: "Places count from the best of the same run; a mark per run shows where this sample lies among all." }),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of numbers" },
      element("table", { class: "numbers" }, element("caption", { class: "unseen", text: "Values of this sample" }),
        element("thead", {}, head), element("tbody", {}, ...rows))));
}

function differenceOf([one, other], metric) {
  if (one.value === null || other.value === null) return "–";
  const difference = one.value - other.value;
  return (difference > 0 ? "+" : difference < 0 ? "−" : "") + Math.abs(difference).toFixed(metric.decimals);
}

function findingSection(details) {
  const { runs } = Data.index;
  const lists = details.runs.flatMap((run, k) => {
    if (run === null || !(run.findings.length || run.remarks.length)) return [];
    return [
      element("div", { class: "findings" },
        element("h4", {}, swatch(k), element("span", { text: runs[k].name, dir: "auto" })),
        element("ul", {},
          ...run.findings.map(([severity, message, action]) =>
            element("li", {}, element("span", { class: `pill ${severity}`, text: severity }), ` ${message} `, element("span", { class: "muted", text: action }))),
          ...run.remarks.map((text) => element("li", { text, dir: "auto" })))),
    ];
  });
  if (!lists.length) return [];
  return [element("section", { "aria-labelledby": "findings-title" }, element("h3", { id: "findings-title", text: "Findings and remarks" }), ...lists)];
}
