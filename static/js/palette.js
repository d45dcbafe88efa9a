// Ctrl-K: the palette asks /search/?q= for a fragment of links (role=option), walked with the arrow keys.
import { words } from "./words.js";

const dialog = () => document.getElementById("palette");
const input = () => dialog().querySelector("input");
const results = () => document.getElementById("palette-results");
const options = () => [...results().querySelectorAll("[role=option]")];
let asked = null;
let timer = null;

function mark(option) {
  options().forEach((one, index) => {
    one.id ||= `palette-option-${index}`;
    one.setAttribute("aria-selected", one === option);
  });
  if (option) {
    input().setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input().removeAttribute("aria-activedescendant");
}

async function ask() {
  asked?.abort();
  asked = new AbortController();
  const query = input().value.trim();
  try {
    const url = `${dialog().querySelector("form").action}?q=${encodeURIComponent(query)}`;
    const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Target": "palette-results" }, signal: asked.signal });
    if (!answer.ok) throw new Error(`search answered ${answer.status}`);
    results().innerHTML = await answer.text();
    results().querySelectorAll("h3, p").forEach((words) => words.setAttribute("role", "presentation"));
    htmx.process(results());
    if (query && !options().length && !results().textContent.trim()) results().textContent = words("noResult");
    mark(options()[0]);
  } catch (error) {
    if (error.name !== "AbortError") results().textContent = words("notLoaded");
  }
}

function open() {
  if (!dialog() || dialog().open) return;
  dialog().showModal();
  input().select();
  ask();
}

function follow(option, newTab) {
  if (newTab && option.href) window.open(option.href, "_blank", "noopener");
  else option.click();
  dialog().close();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
    return;
  }
  if (!dialog()?.open || event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape") {
    event.preventDefault(); // a search field would only empty itself
    event.stopPropagation();
    dialog().close();
    return;
  }
  const list = options();
  const at = list.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && list.length) {
    event.preventDefault();
    mark(list[(at + step + list.length) % list.length]);
  } else if (event.key === "Enter" && list[at]) {
    event.preventDefault();
    follow(list[at], event.ctrlKey || event.metaKey);
  }
}, true);
document.addEventListener("input", (event) => {
  if (!event.target.closest("#palette") || event.isComposing) return;
  clearTimeout(timer);
  timer = setTimeout(ask, 120);
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-palette]")) open();
  else if (event.target === dialog()) dialog().close();
  else if (event.target.closest("#palette [role=option]")) dialog().close();
});
