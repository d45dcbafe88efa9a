// Keys: a row list is walked with J and K; letters press what carries data-hotkey, in the current row first;
// "g" and a letter goes to a page of the menu. Off in fields, during composition, and when the person says so.
import { undo } from "./toasts.js";
import { close, isOpen } from "./drawer.js";

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null || row.getClientRects().length);
const current = () => document.querySelector("[data-row].is-current");
const typing = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const shown = (element) => (element.getClientRects().length > 0 || element.closest("details.menu")) && !element.closest("[inert]");
let going = 0; // when "g" was pressed

export function choose(row, { focus = true } = {}) {
  if (!row) return;
  current()?.classList.remove("is-current");
  row.classList.add("is-current");
  if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
  if (focus) row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function walk(step) {
  const list = rows();
  if (!list.length) return false;
  const at = list.indexOf(current());
  choose(list[Math.min(list.length - 1, Math.max(0, at < 0 ? 0 : at + step))]);
  return true;
}

function press(key) {
  const selector = `[data-hotkey="${CSS.escape(key)}"]`;
  const places = [isOpen() ? document.getElementById("drawer") : null, current(), document];
  for (const place of places) {
    const button = place && [...place.querySelectorAll(selector)].find((found) => shown(found) && !(place === document && found.closest("[data-row]")));
    if (button) return button.click(), true;
  }
  return false;
}

function open() {
  const link = current()?.querySelector("[data-open]") ?? current()?.querySelector("a[href]");
  link?.click();
  return Boolean(link);
}

function tick() {
  const box = current()?.querySelector("[data-select]");
  box?.click();
  return Boolean(box);
}

function goTo(letter) {
  const link = document.querySelector(`[data-goto="${CSS.escape(letter)}"]`);
  link?.click();
  return Boolean(link);
}

function help() {
  const dialog = document.getElementById("keys");
  dialog?.showModal();
  return Boolean(dialog);
}

const onButton = (target) => target.closest?.("a, button, summary, input");
const PLAIN = {
  j: () => walk(1),
  k: () => walk(-1),
  x: tick,
  z: undo,
  "?": help,
  "/": () => (document.querySelector("[data-filter]")?.focus(), true),
  g: () => ((going = Date.now()), true),
};

function plain(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (going && Date.now() - going < 1200) {
    going = 0;
    return goTo(key);
  }
  if (key === "Enter") return !onButton(event.target) && open();
  if (key === " ") return !onButton(event.target) && tick();
  return PLAIN[key]?.() || press(key);
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    const menu = document.querySelector("details.menu[open]");
    if (menu) return (menu.open = false), menu.querySelector("summary").focus();
    if (close()) return event.preventDefault();
    document.dispatchEvent(new CustomEvent("selection:clear"));
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const form = event.target.closest?.("form");
    const button = form?.querySelector('[data-submit="ctrl-enter"]') ?? document.querySelector('#drawer [data-submit="ctrl-enter"]');
    if (button) event.preventDefault(), button.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector("dialog[open]") || document.body.dataset.singleKeys === "off") return;
  if (plain(event)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (row && row !== current()) choose(row, { focus: false });
  document.querySelectorAll("details.menu[open]").forEach((menu) => !menu.contains(event.target) && (menu.open = false));
  if (event.target.closest("[data-keys]")) help();
  if (event.target.closest("[data-print]")) window.print();
  if (event.target.closest("[data-close-dialog]") || event.target.matches("dialog.sheet")) event.target.closest("dialog").close();
  if (event.target.closest("[data-menu-sheet]")) {
    event.preventDefault();
    const open = document.getElementById("side").classList.toggle("is-open");
    event.target.closest("[data-menu-sheet]").setAttribute("aria-expanded", open);
  }
  // The whole row opens, but not instead of what stands in it, nor while text is being marked.
  if (row?.matches("tr[data-row], [data-row][data-opens]") && !event.target.closest("a, button, input, label, select, summary, .check, details") && getSelection().isCollapsed) row.querySelector("[data-open]")?.click();
});

// A list that was swapped keeps its place: the same row, or the one that took its place when it was done.
let place = { id: "", index: -1 };

document.addEventListener("htmx:beforeSwap", () => {
  const row = current();
  if (row) place = { id: row.id, index: rows().indexOf(row) };
});
document.addEventListener("htmx:afterSettle", () => {
  if (current() || place.index < 0) return;
  const list = rows();
  const row = (place.id && document.getElementById(place.id)) || list[Math.min(place.index, list.length - 1)];
  choose(row, { focus: !isOpen() && document.activeElement === document.body });
});
document.addEventListener("htmx:pushedIntoHistory", () => !isOpen() && (place = { id: "", index: -1 }));
