// The drawer: opens when something is swapped into #drawer, closes on Esc or [data-close], gives the focus
// back. Below 1,280 px it is modal: the rest of the page is inert.
import { words } from "./words.js";

const drawer = () => document.getElementById("drawer");
const wide = matchMedia("(min-width: 1280px)");
let opener = null;
let before = null; // the address to go back to

const filled = () => Boolean(drawer()?.querySelector(".drawer-panel"));
export const isOpen = () => document.body.classList.contains("drawer-open");

function settle() {
  const open = filled();
  document.body.classList.toggle("drawer-open", open);
  document.querySelectorAll(".app, .tabbar").forEach((part) => (part.inert = open && !wide.matches));
  if (!drawer()) return;
  drawer().setAttribute("role", open && !wide.matches ? "dialog" : "complementary");
  drawer().toggleAttribute("aria-modal", open && !wide.matches);
  const title = drawer().querySelector("#drawer-title");
  if (title) drawer().setAttribute("aria-labelledby", "drawer-title");
  else drawer().removeAttribute("aria-labelledby");
}

function focusFirst() {
  const wanted = ["[autofocus]", "textarea", "input:not([type=hidden], [type=radio], [type=checkbox])"];
  const first = wanted.map((selector) => drawer().querySelector(selector)).find(Boolean);
  (first ?? drawer()).focus({ preventScroll: true });
}

export function close({ ask = true } = {}) {
  if (!isOpen()) return false;
  const form = drawer().querySelector("form[data-dirty]");
  if (ask && form && !form.hasAttribute("data-draft") && !confirm(words("unsaved"))) return true;
  drawer().replaceChildren();
  settle();
  if (before) history.replaceState(history.state, "", before);
  before = null;
  const row = document.querySelector("[data-row].is-current");
  if (opener?.isConnected) opener.focus({ preventScroll: true });
  else row?.focus();
  opener = null;
  return true;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id !== "drawer" || event.detail.requestConfig.verb !== "get" || isOpen()) return;
  opener = event.detail.elt;
  before = location.href;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "drawer") return;
  const wasOpen = isOpen();
  settle();
  if (filled() && event.detail.xhr?.status !== 422) focusFirst();
  else if (!filled() && wasOpen) leave();
});
document.addEventListener("htmx:oobAfterSwap", (event) => event.detail.target?.id === "drawer" && (settle(), filled() ? focusFirst() : leave()));

function leave() {
  if (before) history.replaceState(history.state, "", before);
  before = null;
  opener = null;
  document.querySelector("[data-row].is-current")?.focus();
}

document.addEventListener("drawer:close", () => close({ ask: false }));
document.addEventListener("input", (event) => event.target.closest("#drawer form")?.setAttribute("data-dirty", ""));
document.addEventListener("click", (event) => {
  if (event.target.closest("#drawer [data-close]")) {
    event.preventDefault();
    close();
  } else if (isOpen() && !wide.matches && !event.target.closest("#drawer, dialog, .toasts")) close();
});
wide.addEventListener("change", settle);
// A boosted link brought another page: nothing is open there but what it brought.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target !== document.body) return;
  opener = null;
  before = null;
  settle();
  if (filled()) focusFirst();
  else document.getElementById("main")?.focus({ preventScroll: true });
});
settle();
if (filled()) focusFirst();
