// Data come as scripts that call `receive`: a page that was opened from a file may load those, and nothing else.

const waiting = new Map();

function receive(name, value) {
  waiting.get(name)?.(value);
}

let asked = 0;

function load(name, file) {
  return new Promise((resolve, reject) => {
    asked += 1;
    const fresh = location.protocol === "file:" ? "" : `?${asked}`;
    const script = element("script", { src: `data/${file}.js${fresh}` });
    const done = () => {
      script.remove();
      waiting.delete(name);
    };
    waiting.set(name, (value) => {
      done();
      resolve(value);
    });
    script.addEventListener("error", () => {
      done();
      reject(new Error(`${file} cannot be loaded`));
    });
    document.head.append(script);
  });
}

/** All samples: what `index.py` wrote, with a few things that are looked up often. */
const Data = {
  index: null,
  prompts: null,
  metrics: new Map(),
  details: new Map(),

  async start() {
    Data.take(await load("index", "index"));
  },

  take(index) {
    for (const run of index.runs) {
      const unpacked = (packed) => (Array.isArray(packed) ? packed : index.samples.map(() => packed));
      run.video = unpacked(run.video);
      run.strip = unpacked(run.strip);
      run.aspect = unpacked(run.aspect);
    }
    Data.index = index;
    Data.metrics = new Map(index.metrics.map((metric) => [metric.name, metric]));
    Data.numbers = new Map(index.samples.map((name, number) => [name, number]));
    Data.details.clear();
    Data.contrast = null;
  },

  async loadPrompts() {
    Data.prompts = await load("prompts", "prompts");
  },

  async detailsOf(number) {
    if (!Data.details.has(number)) {
      // Of what was opened before, the last few are kept.
      if (Data.details.size > 20) Data.details.delete(Data.details.keys().next().value);
      Data.details.set(number, await load(`sample-${number}`, `samples/${number}`));
    }
    return Data.details.get(number);
  },

  value(run, metric, number) {
    return Data.index.runs[run].values[metric]?.[number] ?? null;
  },

  identity(number) {
    return Data.index.identities[Data.index.identity[number]];
  },

  /** Metrics that any run has values of, those with a direction first. */
  choosable() {
    const known = Data.index.metrics.filter((metric) => Data.index.runs.some((run) => run.values[metric.name]));
    return [...known.filter((m) => m.higher !== null), ...known.filter((m) => m.higher === null)];
  },

  /** What is shown where nothing was chosen: the first metric with a direction that tells samples apart. */
  usual() {
    const differs = (metric) => {
      const values = Data.index.runs.flatMap((run) => run.values[metric.name] ?? []).filter((value) => value !== null);
      return values.some((value) => value !== values[0]);
    };
    const known = Data.choosable();
    return known.find((metric) => metric.higher !== null && differs(metric)) ?? known[0];
  },
};
