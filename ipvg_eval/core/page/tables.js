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

// Paper shows what is folded away.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
