// Starts what every page has, and loads the rest where its data attributes are seen.
import "./requests.js";
import "./toasts.js";
import "./drawer.js";
import "./keyboard.js";
import "./palette.js";
import "./selection.js";
import "./preferences.js";
import "./reveal.js";
import "./idle.js";

const later = [
  ["[data-chart]", () => import("./charts.js")],
  ["[data-board]", () => import("./board.js")],
  ["[data-archive-edit]", () => import("./archive.js")],
  ["[data-list]", () => import("./list.js")],
  ["[data-board-filters]", () => import("./filters.js")],
  ["form[data-draft]", () => import("./drafts.js")],
  ["input[type=password]", () => import("./password.js")],
];

async function look(root) {
  for (const [selector, load] of later) {
    if (root.matches?.(selector) || root.querySelector?.(selector)) (await load()).start(root);
  }
}

document.addEventListener("htmx:load", (event) => look(event.detail.elt));
document.addEventListener("htmx:historyRestore", () => look(document.body));
if (!window.htmx) look(document.body);
