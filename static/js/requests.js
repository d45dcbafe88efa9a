// What every htmx request shares: an idempotency key a write, the focus after a refused form, sign-in
// again after 401, input kept and a retry after a fault, the offline bar, the line on top.
import { say } from "./toasts.js";
import { words } from "./words.js";

const line = () => document.getElementById("progress-line");
let running = 0;
let lineTimer = null;
let waiting = null; // the request to repeat after sign-in

// One key for one intention: a retry of the same form sends the same key, so that it counts once.
const keys = new WeakMap();
export const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // randomUUID needs https or localhost
const holder = (element) => element.closest("form") ?? element;

document.addEventListener("htmx:configRequest", (event) => {
  const { verb, headers, elt } = event.detail;
  if (verb === "get" || headers["Idempotency-Key"]) return;
  const form = holder(elt);
  if (!keys.has(form)) keys.set(form, newKey());
  headers["Idempotency-Key"] = keys.get(form);
});

document.addEventListener("htmx:beforeSend", () => {
  running += 1;
  clearTimeout(lineTimer);
  lineTimer = setTimeout(() => running > 0 && line()?.classList.add("is-on"), 300);
});

document.addEventListener("htmx:afterRequest", (event) => {
  running = Math.max(0, running - 1);
  if (running === 0) line()?.classList.remove("is-on");
  const status = event.detail.xhr?.status ?? 0;
  if (status > 0 && status < 500 && status !== 401) keys.delete(holder(event.detail.elt));
});

// A form that was refused comes back with its messages: go to the first.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.xhr?.status !== 422) return;
  const wrong = event.detail.target.querySelector("[aria-invalid=true], .is-invalid, .is-wrong :is(input, select, textarea)");
  (wrong ?? event.detail.target.querySelector("[role=alert]"))?.focus?.();
});

function repeatable(detail) {
  const { verb, path } = detail.requestConfig;
  return () => htmx.ajax(verb, path, { source: detail.elt, target: detail.target, values: Object.fromEntries(detail.requestConfig.formData ?? []) });
}

function showFault(detail, message) {
  const panel = detail.requestConfig.verb === "get" && detail.target?.closest(".panel");
  if (!panel || !panel.querySelector(".skel")) return say(message, { kind: "error" });
  const fault = document.createElement("div");
  fault.className = "fault";
  fault.setAttribute("role", "alert");
  const title = document.createElement("b");
  title.textContent = words("notLoaded");
  const again = document.createElement("button");
  again.className = "btn";
  again.type = "button";
  again.textContent = words("retry");
  again.addEventListener("click", repeatable(detail));
  fault.append(title, again);
  panel.replaceChildren(fault);
}

// A boosted link or form brings a whole page: its token may be new, and a page of another frame (sign-in) is opened as such.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { boosted, xhr } = event.detail;
  if (!boosted || event.detail.target !== document.body) return;
  const answer = xhr.responseText;
  const headers = /<body[^>]*hx-headers='([^']*)'/.exec(answer)?.[1];
  const language = /<html[^>]*lang="([^"]*)"/.exec(answer)?.[1];
  if (!headers || language !== document.documentElement.lang) {
    event.detail.shouldSwap = false;
    location.assign(xhr.responseURL || location.href);
  } else document.body.setAttribute("hx-headers", headers.replaceAll("&quot;", '"'));
});

// A refusal that is words or JSON, not a fragment, is said and not swapped in.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status !== 409 && xhr.status !== 422) return;
  if (xhr.responseText.includes("<")) return;
  event.detail.shouldSwap = false;
  const said = refusal(xhr);
  if (said) say(said, { kind: "error" });
});

function refusal(xhr) {
  const text = xhr.responseText ?? "";
  if ((xhr.getResponseHeader("Content-Type") ?? "").includes("json")) {
    try {
      const answer = JSON.parse(text);
      return answer.detail ?? answer.title ?? "";
    } catch (error) {
      console.warn("An answer that is not JSON", error);
    }
  }
  return text.length > 0 && text.length < 200 && !text.includes("<") ? text : "";
}

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401) {
    waiting = repeatable(event.detail);
    document.getElementById("signed-out")?.showModal();
    return;
  }
  if (event.detail.boosted && event.detail.requestConfig.verb === "get") {
    location.assign(xhr.responseURL); // the page says it better than a toast
    return;
  }
  const said = refusal(xhr);
  if (xhr.status === 403) say(said || words("forbidden"), { kind: "error" });
  else if (xhr.status === 404) say(said || words("missing"), { kind: "error" });
  else if (xhr.status < 500) say(said || words("serverError"), { kind: "error" });
  else showFault(event.detail, words("serverError"));
});
document.addEventListener("htmx:sendError", (event) => showFault(event.detail, words("noNetwork")));
document.addEventListener("htmx:timeout", (event) => showFault(event.detail, words("serverError")));

function repeat() {
  document.getElementById("signed-out")?.close();
  document.body.classList.remove("is-veiled");
  waiting?.();
  waiting = null;
}
document.addEventListener("click", (event) => event.target.closest("[data-repeat]") && (waiting ? repeat() : location.reload()));

// Signed in again in another tab: take its token (it changes at sign-in) and go on.
const signIns = new BroadcastChannel("signed-in");
if (document.body.hasAttribute("data-signed-in")) signIns.postMessage(document.body.getAttribute("hx-headers"));
signIns.addEventListener("message", (event) => {
  if (!document.getElementById("signed-out")?.open) return;
  document.body.setAttribute("hx-headers", event.data);
  const token = JSON.parse(event.data)["X-CSRFToken"];
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => (input.value = token));
  repeat();
});

const offline = () => {
  const bar = document.getElementById("offline-bar");
  if (bar) bar.hidden = navigator.onLine;
};
addEventListener("online", offline);
addEventListener("offline", offline);
offline();

// Enter while an input method composes never submits, and typing does not search yet.
let composing = false;
document.addEventListener("compositionstart", () => (composing = true), true);
document.addEventListener("compositionend", (event) => {
  composing = false;
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.preventDefault();
}, true);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (composing && event.detail.requestConfig.triggeringEvent?.type === "input") event.preventDefault();
});
