// Dragging, by SortableJS. Assignment: [data-customer] onto [data-member]; kanban: [data-card] onto [data-stage].
// A drop is posted to the target's data-post-url; when it is refused the card goes back and a toast says why.
// The same posts stand behind menus (M), so nothing needs the mouse.
import "../vendor/sortable/sortable.min.js";
import { newKey } from "./requests.js";
import { say } from "./toasts.js";
import { words } from "./words.js";

const ITEM = "[data-customer], [data-card]";
const TARGET = "[data-member], [data-stage]";
let lifted = null;

const percent = (value) => `${value.toFixed(1)}%`;

// Load after the drop, in percent; each customer carries the points it costs.
function after(member, item) {
  return Number(member.dataset.load ?? 0) + Number(item.dataset.points ?? 0);
}

// Why a target may not take it, in words; empty when it may.
function barrier(target, item) {
  if (target.dataset.full) return target.dataset.full;
  const full = target.dataset[`full${(item.dataset.tier ?? "").replace(/^./, (first) => first.toUpperCase())}`];
  if (full) return full;
  if (target.dataset.stage && item.dataset.to !== undefined) return item.dataset.to.split(" ").includes(target.dataset.stage) ? "" : " ";
  const limit = Number(target.dataset.limit ?? Infinity);
  return target.dataset.load && after(target, item) > limit + 1e-9 ? words("full", { name: target.dataset.name }) : "";
}

function note(target, text, refused = false) {
  const place = target.querySelector("[data-load-after]");
  if (!place) return;
  place.dataset.usual ??= place.textContent;
  place.textContent = text ?? place.dataset.usual;
  place.classList.toggle("churn-ink", refused);
}

// The target beneath the pointer. Sortable itself keeps the last list that would take the item, also
// when the pointer has left it for one that will not.
function beneath(event) {
  const point = event?.changedTouches?.[0] ?? event?.touches?.[0] ?? event;
  if (point?.clientX === undefined) return null;
  return document.elementFromPoint(point.clientX, point.clientY)?.closest(TARGET) ?? null;
}

let follow = null;

function lift(item, board) {
  lifted = item;
  follow = (event) => hover(beneath(event), board);
  document.addEventListener("pointermove", follow);
  document.body.classList.add("is-dragging");
  board.querySelectorAll(TARGET).forEach((target) => {
    const why = barrier(target, item);
    target.classList.toggle("is-barred", Boolean(why));
    if (why.trim()) note(target, `⊘ ${why}`, true);
  });
}

function hover(target, board) {
  board.querySelectorAll(".is-target").forEach((other) => other !== target && (other.classList.remove("is-target"), other.classList.contains("is-barred") || note(other)));
  if (!target || !lifted || target.classList.contains("is-barred") || target.classList.contains("is-target")) return;
  target.classList.add("is-target");
  if (target.dataset.load) note(target, words("afterDrop", { load: percent(after(target, lifted)) }));
}

function settle(board) {
  lifted = null;
  document.removeEventListener("pointermove", follow);
  document.body.classList.remove("is-dragging");
  board.querySelectorAll(TARGET).forEach((target) => {
    target.classList.remove("is-barred", "is-target");
    note(target);
  });
}

function values(item, target) {
  const version = item.dataset.version ? { version: item.dataset.version } : {};
  if (item.dataset.customer) return { customer: item.dataset.customer, ...version };
  return { opportunity: item.dataset.card, stage: target.dataset.stage, ...version };
}

async function drop(item, target, back) {
  const why = barrier(target, item);
  if (why) {
    back();
    if (why.trim()) say(why, { kind: "error" });
    return;
  }
  let refused = false;
  const watch = (event) => {
    const status = event.detail.xhr?.status ?? 0;
    if (event.detail.elt === target) refused ||= status < 200 || status >= 400;
  };
  document.addEventListener("htmx:afterRequest", watch);
  item.setAttribute("aria-busy", "true");
  try {
    const where = target.dataset.target ?? target.closest("[data-board]").dataset.target;
    await htmx.ajax("POST", target.dataset.postUrl, { source: target, target: where ?? target, swap: target.dataset.swap ?? (where ? "outerHTML" : "none"), values: values(item, target), headers: { "Idempotency-Key": newKey() } });
  } finally {
    document.removeEventListener("htmx:afterRequest", watch);
    item.removeAttribute("aria-busy");
    // Still here after a success: the customer has gone to the member; a card's drop opened a form first.
    if (refused || (item.isConnected && item.dataset.card)) back();
    else if (item.isConnected) item.remove();
  }
}

function backTo(item) {
  const { parentNode, nextSibling } = item;
  return () => parentNode?.isConnected && parentNode.insertBefore(item, nextSibling?.parentNode === parentNode ? nextSibling : null);
}

function sortable(list, board, options) {
  if (list.dataset.sorted) return;
  list.dataset.sorted = "yes";
  let back = null;
  new window.Sortable(list, {
    group: "board", sort: false, animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120, draggable: ITEM, filter: "input, button, select, details, .assign-link", preventOnFilter: false,
    delay: 180, delayOnTouchOnly: true, ghostClass: "is-ghost", dragClass: "is-lifted", fallbackClass: "is-lifted", forceFallback: true, fallbackOnBody: true, fallbackTolerance: 5, scroll: true,
    onStart: ({ item }) => ((back = backTo(item)), lift(item, board)),
    onMove: ({ to }) => !to.closest(TARGET)?.classList.contains("is-barred"),
    onEnd: ({ item, from, originalEvent }) => {
      const target = beneath(originalEvent);
      settle(board);
      if (target && target !== from.closest(TARGET)) drop(item, target, back);
      else back();
    },
    ...options,
  });
}

export function start(root) {
  const boards = [...(root.matches?.("[data-board]") ? [root] : []), ...root.querySelectorAll("[data-board]")];
  const near = root.closest?.("[data-board]");
  [...boards, ...(near ? [near] : [])].forEach((board) => {
    board.querySelectorAll("[data-pool]").forEach((pool) => sortable(pool, board, { group: { name: "board", put: false } }));
    board.querySelectorAll("[data-member]").forEach((member) => sortable(dropList(member), board, { group: { name: "board", pull: false } }));
    board.querySelectorAll("[data-stage]").forEach((stage) => sortable(stage.querySelector(".list") ?? stage, board, {}));
  });
}

// A member's row takes drops anywhere: a list that lies over the row while something is dragged.
function dropList(member) {
  let list = member.querySelector(":scope > .drop-list");
  if (!list) {
    list = document.createElement("div");
    list.className = "drop-list";
    member.append(list);
  }
  return list;
}
