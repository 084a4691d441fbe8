const base = location.pathname.replace(/\/+$/, "");
const at = (id) => document.getElementById(id);
const sides = ["left", "right"].filter(at);
const videos = Object.fromEntries(sides.map((side) => [side, at(side)]));
const alone = sides.length === 1;
const words = document.querySelector("main").dataset;
const answers = [...document.querySelectorAll(".answer")];
const anchors = [...document.querySelectorAll(".anchor")];
const keys = new Map(answers.map((button) => [button.getAttribute("aria-keyshortcuts"), button.dataset.answer]));
const MOST_DRIFT = 0.12; // seconds

let state = null;
let busy = false;
let watched = new Set();
let reported = new Set();
let ready = new Map(); // the next pair's clips: name -> object URL

class Refusal extends Error {}

async function ask(path, body) {
  const options = { headers: { "x-study": "1" }, cache: "no-store", credentials: "omit" };
  if (body) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(base + path, options);
  if (response.ok) return response.json();
  if (response.status >= 500) throw new Error("The server has a problem.");
  const content = response.headers.get("content-type") || "";
  const details = content.includes("json") ? await response.json() : {};
  const refusal = new Refusal(details.error || "This link does not work any more.");
  refusal.wait = details.wait;
  throw refusal;
}

function show(section) {
  for (const id of ["intro", "pair", "done", "stopped"]) at(id).hidden = id !== section;
}

function say(text, bad = false) {
  const status = at("status");
  status.classList.toggle("bad", bad);
  if (status.textContent !== text) status.textContent = text;
}

function stop(text) {
  pause();
  show("stopped");
  at("undo").hidden = true;
  at("stopped-text").textContent = text;
  at("stopped-title").focus();
}

async function load() {
  try {
    enter(await ask("/state"), { first: true });
  } catch (error) {
    stop(error instanceof Refusal ? error.message : "The server cannot be reached. Your answers are saved.");
  }
}

function enter(next, { first = false } = {}) {
  const before = state;
  state = next;
  at("undo").hidden = !state.undo;
  at("progress").hidden = false;
  at("meter").max = state.total;
  at("meter").value = state.position;
  at("count").textContent = state.done ? `${state.total} of ${state.total}` : `${words.step} ${state.position + 1} of ${state.total}`;
  if (state.done) {
    pause();
    for (const side of sides) clear(videos[side]);
    at("code").textContent = state.code;
    show("done");
    at("done-title").focus();
    return;
  }
  const fresh = !before || before.item !== state.item;
  watched = new Set(state.watched);
  if (fresh) present();
  at("question").textContent = state.question.text;
  anchors.forEach((anchor, point) => { anchor.textContent = state.question.anchors[point]; });
  at("step").hidden = state.question.of < 2;
  at("step").textContent = `Question ${state.question.number} of ${state.question.of}`;
  if (first && !state.undo) {
    show("intro");
    at("undo").hidden = true;
    at("start").focus();
  } else {
    show("pair");
  }
  unlock();
  if (first && state.undo) say("Welcome back. This is where you stopped.");
  if (!at("pair").hidden) (fresh || first ? at("play") : at("question")).focus({ preventScroll: true });
}

function present() {
  pause();
  reported = new Set();
  at("where").textContent = `${words.step} ${state.position + 1} of ${state.total}`;
  at("training").hidden = !state.training;
  at("training").textContent = `Training ${state.position + 1} of ${state.training}: this does not count.`;
  at("prompt").textContent = state.prompt;
  at("timeline").textContent = state.timeline;
  at("timeline-part").hidden = !state.timeline;
  at("references").replaceChildren(...state.references.map(picture));
  for (const side of sides) {
    const before = videos[side].src;
    videos[side].src = ready.get(state[side]) || `${base}/media/${state[side]}`;
    ready.delete(state[side]);
    videos[side].load();
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }
  hear(alone ? sides[0] : "");
  window.scrollTo(0, 0);
}

function picture({ media, label }, index) {
  const figure = document.createElement("figure");
  const image = document.createElement("img");
  image.src = `${base}/media/${media}`;
  image.alt = label ? `Reference picture ${index + 1}: ${label}` : `Reference picture ${index + 1}`;
  figure.append(image);
  if (label) {
    const caption = document.createElement("figcaption");
    caption.textContent = label;
    figure.append(caption);
  }
  return figure;
}

function clear(video) {
  video.removeAttribute("src");
  video.load();
}

function unlock() {
  const open = sides.every((side) => watched.has(side));
  for (const button of answers) button.disabled = !open || busy;
  for (const side of sides) {
    const label = at(`seen-${side}`);
    label.textContent = watched.has(side) ? "✓ watched" : "watch to the end";
    label.classList.toggle("yes", watched.has(side));
  }
  if (busy) return;
  if (!open) say(words.wait);
  else say("You can answer now.");
}

/* Players */

const playing = () => sides.some((side) => !videos[side].paused && !videos[side].ended);

function pause() {
  for (const side of sides) videos[side].pause();
  label();
}

async function play() {
  if (sides.every((side) => videos[side].ended)) return replay();
  const left = sides.filter((side) => !videos[side].ended);
  if (left.length === 2) align();
  try {
    await Promise.all(left.map((side) => videos[side].play()));
  } catch (error) {
    if (error.name !== "AbortError") say("A video cannot be played here. Load the page again.", true);
  }
  label();
}

async function replay() {
  for (const side of sides) {
    videos[side].pause();
    videos[side].currentTime = 0;
  }
  try {
    await Promise.all(sides.map((side) => videos[side].play()));
  } catch (error) {
    if (error.name !== "AbortError") say("A video cannot be played here. Load the page again.", true);
  }
  label();
}

function align() {
  const { left, right } = videos;
  if (Math.abs(left.currentTime - right.currentTime) <= MOST_DRIFT) return;
  const earlier = Math.min(left.currentTime, right.currentTime);
  left.currentTime = earlier;
  right.currentTime = earlier;
}

function label() {
  at("play-text").textContent = playing() ? words.pause : words.play;
}

async function report(side) {
  const item = state.item;
  if (watched.has(side) || reported.has(side)) return;
  reported.add(side);
  try {
    const next = await ask("/watched", { item, side });
    if (state.item !== item) return;
    state = next;
    // Both clips may end at once, and the answers may come in either order.
    for (const seen of next.watched) watched.add(seen);
    unlock();
    if (next.watched.length === sides.length) prefetch(next.next);
  } catch (error) {
    if (state.item !== item) return;
    reported.delete(side);
    if (error instanceof Refusal && error.wait === null) return load();
    const wait = error instanceof Refusal ? error.wait : 3;
    if (!(error instanceof Refusal)) say("The server cannot be reached. Trying again …", true);
    setTimeout(() => state.item === item && report(side), 1000 * wait + 50);
  }
}

async function prefetch(media) {
  for (const name of media || []) {
    try {
      const response = await fetch(`${base}/media/${name}`, { credentials: "omit", cache: "no-store" });
      if (response.ok && !ready.has(name)) ready.set(name, URL.createObjectURL(await response.blob()));
    } catch {
      // It is loaded when its turn comes.
    }
  }
}

/* One clip is heard at a time; of two both are silent at first, one alone is heard. */
function hear(side) {
  if (!at("hear")) return;
  for (const other of sides) videos[other].muted = other !== side;
  const heard = alone ? "on" : side === "left" ? "video 1" : "video 2";
  at("hear-text").textContent = `Sound: ${side ? heard : "off"}`;
}

function hearNext() {
  if (!at("hear")) return;
  const turns = ["", ...sides];
  const now = sides.find((side) => !videos[side].muted) || "";
  hear(turns[(turns.indexOf(now) + 1) % turns.length]);
}

for (const side of sides) {
  const video = videos[side];
  const other = videos[sides.find((name) => name !== side)];
  video.addEventListener("ended", () => { label(); report(side); });
  video.addEventListener("play", label);
  video.addEventListener("pause", label);
  if (other) video.addEventListener("timeupdate", () => {
    const drift = video.currentTime - other.currentTime;
    if (playing() && !video.ended && !other.ended && !video.seeking && drift > MOST_DRIFT) video.currentTime = other.currentTime;
  });
  video.addEventListener("loadedmetadata", () => {
    video.style.setProperty("--shape", `${video.videoWidth} / ${video.videoHeight}`);
  });
  video.addEventListener("error", () => {
    if (video.getAttribute("src")) say("A video did not load. Check your connection and load the page again.", true);
  });
}

/* Answers */

async function send(path, body) {
  if (busy) return;
  busy = true;
  for (const button of answers) button.disabled = true;
  at("undo").disabled = true;
  let next = null;
  let problem = "";
  try {
    next = await ask(path, body);
  } catch (error) {
    if (error instanceof Refusal) {
      // Sent twice, or answered in another window: the server knows where we are.
      try { next = await ask("/state"); } catch { problem = error.message; }
    } else {
      problem = "Not saved: the server cannot be reached. Try again.";
    }
  }
  busy = false;
  at("undo").disabled = false;
  if (next) enter(next);
  else {
    unlock();
    say(problem, true);
  }
}

function vote(answer) {
  if (!state || state.done || at("pair").hidden || !sides.every((side) => watched.has(side))) return;
  send("/vote", { item: state.item, question: state.question.name, answer });
}

function undo() {
  if (state && state.undo && !at("undo").hidden) send("/undo", state.undo);
}

for (const button of answers) button.addEventListener("click", () => vote(button.dataset.answer));
at("undo").addEventListener("click", undo);
at("play").addEventListener("click", () => (playing() ? pause() : play()));
at("replay").addEventListener("click", replay);
at("reload").addEventListener("click", () => location.reload());
function start() {
  if (at("intro").hidden) return;
  show("pair");
  at("play").focus();
}

at("start").addEventListener("click", start);
if (at("hear")) at("hear").addEventListener("click", hearNext);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "u") undo();
  else if (key === "enter" && !at("intro").hidden) {
    event.preventDefault(); // else the button that gets the focus would be pressed as well
    start();
  } else if (at("pair").hidden) return;
  else if (keys.has(key)) vote(keys.get(key));
  else if (key === "r") replay();
  else if (key === "s") hearNext();
  else if (key === " " && !event.target.closest("button, summary")) {
    event.preventDefault();
    if (playing()) pause();
    else play();
  }
});

load();
