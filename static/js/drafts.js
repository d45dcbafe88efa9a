// What is written into form[data-draft] is kept in this tab until it has been saved: a page that was left, a network
// that failed or a session that ended loses nothing. The form's idempotency key is kept along, so that what the server
// took without an answer counts once when it is sent again. The attribute names person and thing.
import { words } from "./words.js";

const LASTS = 24 * 60 * 60_000;
const place = (form) => `draft:${form.dataset.draft}`;
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.name !== "csrfmiddlewaretoken" && field.type !== "submit");

function keep(form) {
  const said = fieldsOf(form).map((field) => [field.name, field.value, field.type === "checkbox" || field.type === "radio" ? field.checked : null]);
  sessionStorage.setItem(place(form), JSON.stringify({ at: Date.now(), said }));
}

const forget = (form) => sessionStorage.removeItem(place(form));

function restore(form, said) {
  for (const [name, value, checked] of said) {
    const field = fieldsOf(form).find((one) => one.name === name && (checked === null || one.value === value));
    if (!field) continue;
    if (checked === null) field.value = value;
    else field.checked = checked;
  }
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

function tell(form) {
  const line = document.createElement("p");
  line.className = "notice-line";
  line.setAttribute("role", "status");
  const text = document.createElement("span");
  text.textContent = words("draftBack");
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "btn btn-sm btn-quiet";
  drop.textContent = words("draftDrop");
  drop.addEventListener("click", () => {
    forget(form);
    form.reset();
    line.remove();
  });
  line.append(text, drop);
  (form.querySelector("[data-draft-note]") ?? form).prepend(line);
}

function begin(form) {
  if (form.dataset.draftBegun) return;
  form.dataset.draftBegun = "1";
  const kept = JSON.parse(sessionStorage.getItem(place(form)) ?? "null");
  if (kept && Date.now() - kept.at < LASTS) {
    restore(form, kept.said);
    tell(form);
  }
  let waits = null;
  form.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(() => form.isConnected && keep(form), 300);
  });
}

// The form may have been swapped out by then, so the event is heard above it.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.requestConfig?.elt;
  if (form?.matches?.("form[data-draft]") && event.detail.successful) forget(form);
});

export function start(root) {
  const forms = [...(root.matches?.("form[data-draft]") ? [root] : []), ...root.querySelectorAll("form[data-draft]")];
  forms.forEach(begin);
}
