// One row per identity with all its videos, hardest first.

function renderIdentities(main) {
  const { runs, identities, references } = Data.index;
  const metrics = Data.choosable().filter((metric) => metric.higher !== null);
  const asked = Data.metrics.get(Address.state.sort);
  const usual = Data.usual();
  const metric = metrics.includes(asked) ? asked : metrics.includes(usual) ? usual : metrics[0];
  const run = Math.min(runs.length - 1, Number(Address.state.of || 0));
  const choose = (key, options, value) => {
    const select = element("select", { id: key, on: { change: (event) => {
      Address.go({ [key]: event.target.value }, { quiet: true });
      renderIdentities(main);
      document.getElementById(key)?.focus();
    } } });
    for (const [each, text] of options) select.append(element("option", { value: each, text }));
    select.value = value;
    return select;
  };
  const members = identities.map(() => []);
  Data.index.identity.forEach((identity, number) => members[identity].push(number));
  const mean = (place, numbers) => {
    const known = metric ? numbers.map((number) => Data.value(place, metric.name, number)).filter((value) => value !== null) : [];
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  };
  const rows = identities.map((name, k) => ({
    name, k, numbers: members[k], means: runs.map((_, place) => mean(place, members[k])),
  }));
  const hard = ({ means }) => (means[run] === null ? null : metric.higher ? means[run] : -means[run]);
  rows.sort((one, other) => {
    const [a, b] = [hard(one), hard(other)];
    return a === null || b === null ? (a === null) - (b === null) : a - b;
  });
  const list = element("ol", { class: "people" });
  for (const { name, k, numbers, means } of rows) {
    list.append(
      element(
        "li",
        {},
        element("div", { class: "person" },
          references[k] ? reference(references[k], name) : null,
          element("h2", { text: name, dir: "auto" }),
          metric
            ? element("dl", {}, ...runs.map((each, place) => element("div", {}, element("dt", {}, swatch(place), each.name), element("dd", { text: shown(means[place], metric) }))))
            : null),
        element("ul", { class: "person-samples" }, ...numbers.map((number) => {
          const value = metric ? Data.value(run, metric.name, number) : null;
          return element("li", {},
            element("a", { href: Address.of({ view: "sample", sample: Data.index.samples[number], frame: "" }) },
              poster(run, number, ""),
              element("span", { class: "cut", text: Data.index.samples[number], dir: "auto" }),
              element("b", { text: metric ? shown(value, metric) : "" })));
        })),
      ),
    );
  }
  main.replaceChildren(
    element("div", { class: "controls" },
      metrics.length ? element("label", {}, "Hardest by", choose("sort", metrics.map((m) => [m.name, `${m.title} ${arrow(m)}`]), metric.name)) : null,
      runs.length > 1 ? element("label", {}, "of", choose("of", runs.map((each, place) => [String(place), each.name]), String(run))) : null,
      element("output", { role: "status", text: `${identities.length} identities` })),
    list,
  );
}
