
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

// A sample of the table opens its card, wherever that is.
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
  rankBy.addEventListener("change", () => {
    document.getElementById("picked").hidden = true;
  });
  for (const link of document.querySelectorAll('a[href^="#card-"]')) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      pick(link);
    });
  }
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
