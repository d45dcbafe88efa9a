// Filter forms that are sent by each change: their button is for those without scripts.
export function start(root) {
  const forms = [...(root.matches?.("[data-board-filters]") ? [root] : []), ...root.querySelectorAll("[data-board-filters]")];
  forms.forEach((form) => {
    form.classList.add("is-live");
    form.addEventListener("change", () => form.requestSubmit());
  });
}
