"use strict";

// Sorting: a click on a column head orders the rows; cells without a value stay last either way.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function sortKey(cell) {
  const text = cell.dataset.v ?? cell.textContent.trim();
  if (!cell.classList.contains("num")) return text;
  return text === "" ? null : Number(text);
}

function compare(one, other) {
  return typeof one === "number" && typeof other === "number" ? one - other : collator.compare(one, other);
}

function sortBy(head) {
  const button = head.querySelector("button");
  const opposite = { ascending: "descending", descending: "ascending" };
  const order = opposite[head.ariaSort] ?? button.dataset.first ?? "ascending";
  const body = head.closest("table").tBodies[0];
  const keyed = Array.from(body.rows, (row) => [sortKey(row.cells[head.cellIndex]), row]);
  const empty = (key) => key === null || key === "";
  keyed.sort(([one], [other]) => {
    if (empty(one) || empty(other)) return empty(one) - empty(other);
    return order === "ascending" ? compare(one, other) : compare(other, one);
  });
  for (const cell of head.parentElement.cells) {
    if (cell.ariaSort) cell.ariaSort = cell === head ? order : "none";
  }
  body.append(...keyed.map(([, row]) => row));
}

for (const button of document.querySelectorAll(".sortable th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}

// Filter of the samples table.
const filter = document.getElementById("filter");
const filterStatus = document.getElementById("filter-status");
const rows = Array.from(document.getElementById("samples-table").tBodies[0].rows, (row) => ({
  row,
  text: row.textContent.toLowerCase(),
}));

function passes(row, wanted) {
  if (wanted === "scored") return row.dataset.status === "scored";
  if (wanted === "trouble") return row.dataset.status !== "scored";
  return wanted !== "remarks" || "remarks" in row.dataset;
}

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text } of rows) {
    row.hidden = !(passes(row, filterStatus.value) && words.every((word) => text.includes(word)));
    shown += !row.hidden;
  }
  const all = `${rows.length} samples`;
  document.getElementById("filter-count").textContent = shown === rows.length ? all : `${shown} of ${all}`;
}

filter.addEventListener("input", applyFilter);
filterStatus.addEventListener("change", applyFilter);

// Best and worst: every card is on the page once and moves to where it is shown.
const rankBy = document.getElementById("rank-by");

function card(number) {
  return document.getElementById(`card-${number}`);
}

function showRanking() {
  const ranking = JSON.parse(document.getElementById("ranking").textContent);
  const chosen = ranking.find(({ metric }) => metric === rankBy.value);
  const shelf = document.getElementById("shelf");
  for (const place of document.querySelectorAll("#extremes .stack")) shelf.append(...place.children);
  for (const end of ["first", "last"]) document.getElementById(end).append(...chosen[end].map(card));
  document.getElementById("first-title").textContent = chosen.known ? "Best" : "Highest";
  document.getElementById("last-title").textContent = chosen.known ? "Worst" : "Lowest";
  document.getElementById("picked").hidden = true;
  for (const part of document.querySelectorAll(".card [data-metric]")) {
    part.classList.toggle("on", part.dataset.metric === chosen.metric);
  }
}

function pick(link) {
  const chosen = document.querySelector(link.hash);
  const picked = document.getElementById("picked");
  showRanking();
  picked.hidden = chosen.closest("#shelf") === null;
  if (!picked.hidden) picked.querySelector(".stack").append(chosen);
  (picked.hidden ? chosen : picked).scrollIntoView();
  chosen.focus({ preventScroll: true });
}

if (rankBy) {
  rankBy.addEventListener("change", showRanking);
  for (const link of document.querySelectorAll('a[href^="#card-"]')) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      pick(link);
    });
  }
  showRanking();
}

// Curves: the value under the pointer.
function readOff(drawing, event) {
  const area = drawing.querySelector(".background").getBoundingClientRect();
  const points = JSON.parse(drawing.dataset.points);
  const end = points.at(-1)[1] || 1;
  const wanted = ((event.clientX - area.left) / area.width) * end;
  const [frame, time, value] = points.reduce((best, point) =>
    Math.abs(point[1] - wanted) < Math.abs(best[1] - wanted) ? point : best,
  );
  const cursor = drawing.querySelector(".cursor") ?? drawing.appendChild(document.createElement("div"));
  const home = drawing.getBoundingClientRect();
  cursor.className = "cursor";
  cursor.style.left = `${area.left - home.left + (area.width * time) / end}px`;
  cursor.style.top = `${area.top - home.top}px`;
  cursor.style.height = `${area.height}px`;
  drawing.closest("figure").querySelector(".readout").textContent =
    `frame ${frame}: ${value ?? "no value"}`;
}

function readNothing(drawing) {
  drawing.querySelector(".cursor")?.remove();
  drawing.closest("figure").querySelector(".readout").textContent = "";
}

for (const drawing of document.querySelectorAll("[data-points]")) {
  drawing.addEventListener("pointermove", (event) => readOff(drawing, event));
  drawing.addEventListener("pointerleave", () => readNothing(drawing));
}

// Paper shows what is folded away.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
