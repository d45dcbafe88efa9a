// The archive is edited in place: focus goes to the field that opened, Escape closes it, F2 opens the one in focus.
document.addEventListener("htmx:afterSwap", (event) => {
  const row = document.getElementById(event.detail.target?.id ?? "");
  if (!row?.classList.contains("archive-row")) return;
  const first = row.querySelector("[data-archive-form] :is(input:not([type=hidden]), select)");
  (first ?? row.querySelector("[data-archive-edit]"))?.focus();
});
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".archive-row");
  if (!row || event.isComposing) return;
  if (event.key === "Escape") row.querySelector("[data-archive-cancel]")?.click();
  if (event.key === "F2") row.querySelector("[data-archive-edit]")?.click();
});

// The listeners above stand once the module is here.
export function start() {}
