// Toasts: one at a time, 10 s (held while hovered or focused), undone by Z; errors stay until dismissed.
const region = () => document.getElementById("toasts");
let timer = null;
let left = 10_000;
let started = 0;

function hold() {
  clearTimeout(timer);
  left -= Date.now() - started;
  region()?.querySelector("[data-toast]")?.classList.add("is-held");
}

function run() {
  const toast = region()?.querySelector("[data-toast]");
  if (!toast || toast.hasAttribute("data-sticky")) return;
  toast.classList.remove("is-held");
  started = Date.now();
  clearTimeout(timer);
  timer = setTimeout(() => toast.remove(), Math.max(left, 1000));
}

export function watch() {
  left = 10_000;
  run();
}

export function say(message, { kind = "ok" } = {}) {
  const template = document.getElementById(kind === "error" ? "toast-error-template" : "toast-template");
  const toast = template?.content.querySelector("[data-toast]")?.cloneNode(true);
  if (!toast) return;
  toast.querySelector(".words").textContent = message;
  region().replaceChildren(toast);
  watch();
}

export function undo() {
  const button = region()?.querySelector("[data-undo]");
  button?.click();
  return Boolean(button);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest("[data-toast]").remove();
});
document.addEventListener("mouseover", (event) => event.target.closest("[data-toast]") && hold());
document.addEventListener("mouseout", (event) => event.target.closest("[data-toast]") && run());
document.addEventListener("focusin", (event) => event.target.closest("[data-toast]") && hold());
document.addEventListener("focusout", (event) => event.target.closest("[data-toast]") && run());
document.addEventListener("toast", (event) => say(event.detail.message ?? event.detail.value, event.detail));
document.addEventListener("htmx:oobAfterSwap", (event) => event.detail.target.id === "toasts" && watch());
document.addEventListener("htmx:load", (event) => (event.target.querySelector?.("#toasts") || event.target.closest?.("#toasts")) && watch());
// The answer to an undo brings a toast of its own.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.target.matches?.("[data-toast] form") && event.target.isConnected) event.target.closest("[data-toast]").remove();
});
watch();
