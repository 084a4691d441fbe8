// Putting it together: the frame of the page, keys, and runs that are still being written.

const main = document.getElementById("main");
const AGAIN = 3000; // milliseconds until a run that is being written is asked for again

function render() {
  const { view } = Address.state;
  SampleView.close();
  Contrast.close();
  document.body.dataset.view = view;
  for (const [id, name] of [["to-grid", "grid"], ["to-identities", "identities"], ["to-compare", "compare"]]) {
    const link = document.getElementById(id);
    link.href = Address.of({ view: name, sample: "", frame: "" });
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = view === "sample" ? Address.state.sample : { identities: "Identities", compare: "Comparison" }[view] ?? "Samples";
  if (view === "sample" && Data.numbers.has(Address.state.sample)) SampleView.render(main);
  else if (view === "identities") renderIdentities(main);
  else if (view === "compare") Contrast.render(main);
  else Grid.render(main);
}

function renderFrame() {
  const { runs, notices } = Data.index;
  document.getElementById("to-compare").hidden = runs.length !== 2;
  document.getElementById("legend").replaceChildren(
    ...runs.map((run, k) =>
      element("li", { title: `${run.name}, protocol ${run.protocol}` }, swatch(k),
        element("b", { text: run.name, dir: "auto", class: "cut" }),
        element("span", { class: "muted cut", text: run.protocol }),
        run.pending ? element("span", { class: "tag", text: `${run.pending} pending` }) : null),
    ),
  );
  const without = runs.filter((run) => run.videos).map((run) => `${run.name}: stills only, ${run.videos}.`);
  const all = [...notices, ...without];
  const box = document.getElementById("notices");
  box.hidden = !all.length;
  box.replaceChildren(...all.map((text) => element("p", { text, dir: "auto" })));
}

/** A run that is still being written: new rows appear without losing the place. */
async function again() {
  try {
    const before = JSON.stringify(Data.index.runs.map((run) => [run.status, run.pending]));
    const index = await load("index", "index");
    if (JSON.stringify(index.runs.map((run) => [run.status, run.pending])) !== before || !index.live) {
      Data.take(index);
      renderFrame();
      if (Address.state.view === "grid") Grid.refresh();
    }
  } catch {
    return; // the server has ended; what is here stays
  }
  if (Data.index.live) setTimeout(again, AGAIN);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, select, textarea, summary");
  const { view } = Address.state;
  if (event.key === "Escape" && view === "sample") {
    SampleView.leave();
    return;
  }
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const moves = { j: 1, k: -1, ArrowRight: 1, ArrowLeft: -1 };
  if (view === "grid" && Grid.size) {
    const lines = { ArrowDown: Grid.size.columns, ArrowUp: -Grid.size.columns };
    const by = moves[event.key] ?? lines[event.key];
    if (by !== undefined) Grid.move(by);
    else if (event.key === "/") document.getElementById("q").focus();
    else return;
    event.preventDefault();
  } else if (view === "sample") {
    const acts = { " ": () => SampleView.players?.toggle(), "[": () => SampleView.players?.step(-1), "]": () => SampleView.players?.step(1) };
    if (event.key === " " && event.target.matches("button, a")) return;
    if (moves[event.key]) SampleView.next(moves[event.key]);
    else if (acts[event.key]) acts[event.key]();
    else return;
    event.preventDefault();
  }
});

const keys = document.getElementById("keys");
document.getElementById("keys-button").addEventListener("click", () => keys.showModal());

let drawn = 0;
addEventListener("scroll", () => {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(() => Address.state.view === "grid" && Grid.show());
}, { passive: true });

let wide = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === wide && Address.state.view !== "grid") return;
  wide = innerWidth;
  if (Address.state.view === "grid" && Grid.list?.isConnected) Grid.layout();
});

(async () => {
  try {
    await Data.start();
  } catch (error) {
    document.getElementById("loading").textContent = `${error.message}. Start \`ipvg-eval view\` again.`;
    return;
  }
  DEFAULTS.view = Data.index.start;
  Address.start(render);
  renderFrame();
  render();
  performance.mark("first-view");
  await Data.loadPrompts();
  if (Address.state.view === "grid") Grid.render(main);
  if (Data.index.live && location.protocol !== "file:") setTimeout(again, AGAIN);
})();
