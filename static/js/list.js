// The list of customers: finding a filter by its name on the sheet, and choosing all of the list beyond the page.
export function start(root) {
  root.querySelectorAll("[data-sheet-find]").forEach((box) => (box.hidden = false));
}

document.addEventListener("htmx:load", (event) => start(event.detail.elt));

document.addEventListener("input", (event) => {
  if (event.target.id !== "sheet-find") return;
  const form = event.target.closest("form");
  const word = event.target.value.trim().toLowerCase();
  let hits = 0;
  form.querySelectorAll(".sheet-group").forEach((group) => {
    let found = 0;
    group.querySelectorAll("[data-sheet-field]").forEach((field) => {
      field.hidden = word !== "" && !field.dataset.sheetField.toLowerCase().includes(word);
      found += field.hidden ? 0 : 1;
    });
    group.hidden = found === 0;
    if (word) group.open = found > 0;
    hits += found;
  });
  form.querySelector("[data-sheet-none]").hidden = hits > 0;
});
document.addEventListener("keydown", (event) => {
  if (event.target.id === "sheet-find" && event.key === "Enter") event.preventDefault();
});

function everyone(on) {
  const input = document.querySelector("[data-everyone]");
  if (!input) return;
  input.value = on ? "1" : "";
  const bar = document.querySelector("[data-bulk]");
  bar.querySelector("[data-bulk-all]").hidden = !on;
  bar.querySelector("[data-bulk-some]").hidden = on;
  bar.querySelectorAll("[data-select-everyone]").forEach((button) => (button.hidden = on));
  // Beyond the page an assignment is a job; what is ticked is assigned at once.
  bar.querySelectorAll("[data-everyone-action]").forEach((button) => {
    button.dataset.usual ??= button.getAttribute("formaction");
    button.setAttribute("formaction", on ? button.dataset.everyoneAction : button.dataset.usual);
  });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-select-everyone]")) everyone(true);
  else if (event.target.closest("[data-select], [data-select-clear]")) everyone(false);
});
document.addEventListener("selection:clear", () => everyone(false));
