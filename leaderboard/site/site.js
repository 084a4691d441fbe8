
// Tracks as tabs. Without this script they stand one below the other.
const tabs = Array.from(document.querySelectorAll(".tabs a"));

function panel(tab) {
  return document.getElementById(tab.hash.slice(1));
}

function show(chosen) {
  for (const tab of tabs) {
    const on = tab === chosen;
    tab.ariaSelected = String(on);
    tab.tabIndex = on ? 0 : -1;
    panel(tab).hidden = !on;
  }
}

function showAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  const found = target && tabs.find((tab) => panel(tab).contains(target));
  show(found || tabs.find((tab) => tab.ariaSelected === "true") || tabs[0]);
  if (found && target !== panel(found)) target.scrollIntoView();
}

function step(event) {
  const at = tabs.indexOf(event.currentTarget);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined && event.key !== " ") return;
  event.preventDefault();
  const next = tabs[((to ?? at) + tabs.length) % tabs.length];
  choose(next);
  next.focus();
}

function choose(tab) {
  history.replaceState(null, "", tab.hash);
  show(tab);
}

if (tabs.length) {
  document.querySelector(".tabs").role = "tablist";
  for (const tab of tabs) {
    tab.role = "tab";
    tab.setAttribute("aria-controls", tab.hash.slice(1));
    panel(tab).role = "tabpanel";
    tab.addEventListener("keydown", step);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      choose(tab);
    });
  }
  window.addEventListener("hashchange", showAddress);
  window.addEventListener("beforeprint", () => {
    for (const tab of tabs) panel(tab).hidden = false;
  });
  window.addEventListener("afterprint", showAddress);
  showAddress();
}
