
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
  for (const part of document.querySelectorAll(".card [data-metric]")) {
    part.classList.toggle("on", part.dataset.metric === chosen.metric);
  }
}

if (rankBy) {
  rankBy.addEventListener("change", showRanking);
  showRanking();
}
