// All samples: filtered, sorted, and only those on the screen in the document.

/** Sample numbers in the order of the controls. */
function chosenSamples() {
  const { q, status, kind, of, range, low, high, sort, by, turned } = Address.state;
  const { runs, samples } = Data.index;
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const among = runs.map((_, run) => run).filter((run) => of === "" || Number(of) === run);
  const kinds = new Map(among.map((run) => [run, new Set(runs[run].kinds[kind] ?? [])]));
  const [least, most] = [low === "" ? -Infinity : Number(low), high === "" ? Infinity : Number(high)];

  const passes = (number) => {
    if (words.length) {
      const text = `${samples[number]} ${Data.identity(number)} ${Data.prompts?.[number] ?? ""}`.toLowerCase();
      if (!words.every((word) => text.includes(word))) return false;
    }
    if (status && !among.some((run) => (status === "trouble" ? !"s".includes(runs[run].status[number]) : runs[run].status[number] === status))) return false;
    if (kind && !among.some((run) => kinds.get(run).has(number))) return false;
    if (range && (low !== "" || high !== "")) {
      const inside = (run) => {
        const value = Data.value(run, range, number);
        return value !== null && value >= least && value <= most;
      };
      if (!among.some(inside)) return false;
    }
    return true;
  };
  const numbers = samples.map((_, number) => number).filter(passes);
  const metric = Data.metrics.get(sort);
  if (!metric) return turned ? numbers.reverse() : numbers;
  const key = sortKey(metric, by);
  const keyed = numbers.map((number) => [key(number), number]);
  // The better end first, or the larger difference; what has no value is last either way.
  const up = (metric.higher === false && !by.includes("-") ? 1 : -1) * (turned ? -1 : 1);
  keyed.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return up * (one - other);
  });
  return keyed.map(([, number]) => number);
}

/** What samples are sorted by: a run's value ("0"), the mean over runs (""), or a difference ("0-1"). */
function sortKey(metric, by) {
  const runs = Data.index.runs.map((_, run) => run);
  if (by.includes("-")) {
    const [one, other] = by.split("-").map(Number);
    return (number) => {
      const pair = [one, other].map((run) => Data.value(run, metric.name, number));
      return pair.includes(null) ? null : pair[0] - pair[1];
    };
  }
  if (by !== "") return (number) => Data.value(Number(by), metric.name, number);
  return (number) => {
    const known = runs.map((run) => Data.value(run, metric.name, number)).filter((value) => value !== null);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  };
}

const Grid = {
  numbers: [],
  rows: new Map(),
  focus: 0,

  render(main) {
    Grid.list = element("div", { class: "grid-list", role: "list", "aria-label": "Samples" });
    Grid.count = element("output", { role: "status" });
    main.replaceChildren(gridControls(Grid.count), Grid.list);
    Grid.refresh();
  },

  refresh() {
    Grid.numbers = chosenSamples();
    Grid.usual = Data.usual();
    const all = Data.index.samples.length;
    const chosen = Grid.numbers.length;
    Grid.count.textContent = chosen === all ? `${all} samples` : `${chosen} of ${all} samples`;
    Grid.layout();
  },

  /** All cards have one size, so where each lies is known without looking. */
  layout() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = Grid.list.clientWidth;
    const runs = Data.index.runs.length;
    const gap = 0.8 * rem;
    const narrow = width < 34 * rem;
    const wanted = runs === 1 ? (narrow ? 9.5 : 13.5) * rem : Math.min(width, runs * 10.5 * rem);
    const columns = Math.max(1, Math.floor((width + gap) / (wanted + gap)));
    const card = (width - gap * (columns - 1)) / columns;
    const inner = card - 1.6 * rem - 2;
    const across = runs === 1 ? 1 : Math.max(1, Math.min(runs, Math.floor((inner + 0.5 * rem) / (8.5 * rem))));
    const high = ((inner - 0.5 * rem * (across - 1)) / across) * 0.62;
    const below = (runs === 1 ? 1.5 : 2.7) * rem;
    const posters = Math.ceil(runs / across);
    const prompt = Data.prompts === null ? 0 : 2.6 * rem;
    const row = Math.ceil(1.4 * rem + 2 + 1.5 * rem + prompt + posters * (high + below) + (posters - 1) * 0.4 * rem + gap);
    Grid.size = { columns, row, card, gap, across, high };
    const lines = Math.ceil(Grid.numbers.length / columns);
    Grid.list.style.height = `${lines * row}px`;
    Grid.list.style.setProperty("--poster", `${high}px`);
    Grid.list.style.setProperty("--across", across);
    Grid.list.replaceChildren();
    Grid.rows.clear();
    Grid.show();
  },

  show() {
    if (!Grid.list?.isConnected) return;
    const { columns, row, card, gap } = Grid.size;
    const top = Grid.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor((-top - innerHeight / 2) / row));
    const last = Math.floor((-top + 1.5 * innerHeight) / row);
    for (const [place, made] of Grid.rows) {
      const line = Math.floor(place / columns);
      if ((line < first || line > last) && !made.contains(document.activeElement)) {
        made.remove();
        Grid.rows.delete(place);
      }
    }
    for (let place = first * columns; place < Math.min(Grid.numbers.length, (last + 1) * columns); place += 1) {
      if (Grid.rows.has(place)) continue;
      const made = sampleCard(Grid.numbers[place], place, Grid.numbers.length);
      made.style.width = `${card}px`;
      made.style.height = `${row - gap}px`;
      made.style.transform = `translate(${(place % columns) * (card + gap)}px, ${Math.floor(place / columns) * row}px)`;
      Grid.rows.set(place, made);
      // Screen readers and Tab go through the document's order.
      const after = [...Grid.list.children].find((other) => Number(other.dataset.place) > place);
      Grid.list.insertBefore(made, after ?? null);
    }
  },

  /** Move the focus by so many cards, bringing the card onto the screen. */
  move(by) {
    const current = document.activeElement.closest?.(".sample");
    const from = current ? Number(current.dataset.place) : by > 0 ? -1 : 0;
    const place = Math.max(0, Math.min(Grid.numbers.length - 1, current ? from + by : Math.max(0, from + Math.sign(by))));
    const { columns, row } = Grid.size;
    const top = Grid.list.getBoundingClientRect().top + Math.floor(place / columns) * row;
    const head = document.querySelector(".top").offsetHeight;
    if (top < head) scrollBy(0, top - head - 8);
    else if (top + row > innerHeight) scrollBy(0, top + row - innerHeight);
    Grid.show();
    Grid.rows.get(place)?.querySelector("a").focus({ preventScroll: true });
  },
};

function sampleCard(number, place, total) {
  const { runs, samples } = Data.index;
  const { sort } = Address.state;
  const metric = Data.metrics.get(sort) ?? Grid.usual;
  const name = samples[number];
  const link = element("a", { href: Address.of({ view: "sample", sample: name, frame: "" }), text: name, dir: "auto" });
  // Stills answer to the pointer, so that they lie above the link that covers the card.
  const open = (event) => {
    if (!event.target.closest("a")) link.click();
  };
  const head = element("div", { class: "sample-head" }, link, element("span", { class: "whose", text: Data.identity(number), dir: "auto" }));
  const posters = runs.map((run, k) => {
    const status = run.status[number];
    const words = `${run.name}, ${STATUSES[status]}`;
    const value = metric ? Data.value(k, metric.name, number) : null;
    return element(
      "div",
      { class: "take" },
      poster(k, number, ""),
      element(
        "span",
        { class: "take-line" },
        runs.length > 1 ? element("span", { class: "take-name" }, swatch(k), element("span", { class: "cut", text: run.name, dir: "auto" })) : null,
        status === "s"
          ? element("span", { class: "take-value", title: metric?.title ?? "" },
              element("span", { class: "cut muted", text: metric?.title ?? "" }), element("b", { text: metric ? shown(value, metric) : "" }))
          : element("span", { class: `pill ${STATUSES[status]}`, text: STATUSES[status] }),
        element("span", { class: "unseen", text: words }),
      ),
    );
  });
  return element(
    "div",
    { class: "sample", role: "listitem", "aria-posinset": place + 1, "aria-setsize": total, data: { place, number }, on: { click: open } },
    head,
    Data.prompts === null ? null : element("p", { class: "prompt", dir: "auto", text: Data.prompts[number] }),
    element("div", { class: "takes" }, ...posters),
  );
}

/** The controls above the list. */
function gridControls(count) {
  const { runs } = Data.index;
  const state = Address.state;
  const pauses = {};
  const change = (key, later = false) => (event) => {
    const value = event.target.value;
    clearTimeout(pauses[key]);
    const act = () => {
      Address.go({ [key]: value }, { quiet: true });
      Grid.refresh();
    };
    if (later) pauses[key] = setTimeout(act, 120);
    else act();
  };
  const choice = (key, options) => {
    const select = element("select", { id: key, on: { change: change(key) } });
    for (const [value, text] of options) select.append(element("option", { value, text }));
    select.value = state[key];
    return select;
  };
  const metrics = Data.choosable().map((metric) => [metric.name, `${metric.title} ${arrow(metric)}`]);
  const kinds = [...new Set(runs.flatMap((run) => Object.keys(run.kinds)))].sort();
  const each = runs.map((run, k) => [String(k), run.name]);
  const pairs = each.flatMap(([a, one]) => each.filter(([b]) => a !== b).map(([b, other]) => [`${a}-${b}`, `${one} − ${other}`]));
  const number = (key, label) =>
    element("input", { id: key, type: "number", step: "any", value: state[key], "aria-label": label, placeholder: label, on: { input: change(key, true) } });
  const field = (label, control) => element("label", {}, label, control);
  const turn = element("button", { type: "button", id: "turned", "aria-pressed": String(Boolean(state.turned)), text: "Reverse", on: {
    click: () => {
      Address.go({ turned: Address.state.turned ? "" : "1" }, { quiet: true });
      turn.setAttribute("aria-pressed", String(Boolean(Address.state.turned)));
      Grid.refresh();
    },
  } });
  const search = element("input", { id: "q", type: "search", autocomplete: "off", value: state.q, placeholder: Data.prompts === null ? "id or identity" : "id, identity or prompt", on: { input: change("q", true) } });
  const more = element(
    "details",
    { class: "more", open: Boolean(state.status || state.kind || state.range || state.of) },
    element("summary", { text: "Filter" }),
    element(
      "div",
      { class: "controls" },
      runs.length > 1 ? field("of", choice("of", [["", "any run"], ...each])) : null,
      field("status", choice("status", [["", "any"], ["trouble", "not scored"], ...Object.entries(STATUSES)])),
      kinds.length ? field("finding", choice("kind", [["", "any or none"], ...kinds.map((kind) => [kind, kind])])) : null,
      field("metric", choice("range", [["", "none"], ...metrics])),
      number("low", "from"),
      number("high", "to"),
    ),
  );
  return element(
    "div",
    { class: "bar-of-controls" },
    element(
      "div",
      { class: "controls", role: "search" },
      field("Search", search),
      field("Sort", choice("sort", [["", "test set's order"], ...metrics])),
      runs.length > 1 ? field("by", choice("by", [["", "mean of runs"], ...each, ...pairs])) : null,
      turn,
      count,
    ),
    more,
  );
}
