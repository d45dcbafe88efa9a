// A masked field is fetched only when asked for, shown for 30 s or until the tab is hidden, then masked again.
const shown = new Map();

function mask(place) {
  const kept = shown.get(place);
  if (!kept) return;
  clearTimeout(kept.timer);
  place.textContent = kept.text;
  kept.button.hidden = false;
  shown.delete(place);
}

function showFor(place, asked, value, seconds = 30) {
  mask(place);
  const button = asked.closest("details") ?? asked;
  button.open = false;
  shown.set(place, { text: place.textContent, button, timer: setTimeout(() => mask(place), seconds * 1000) });
  place.textContent = value;
  button.hidden = true;
}

async function reveal(button) {
  const place = document.querySelector(button.dataset.target);
  const form = button.closest("form");
  const body = new FormData(form ?? undefined);
  const headers = { "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") };
  const answer = await fetch(button.dataset.reveal, { method: "POST", body, headers });
  const said = (await answer.text()).trim();
  if (answer.ok && place) showFor(place, button, said);
  else document.dispatchEvent(new CustomEvent("toast", { detail: { message: said.slice(0, 200), kind: "error" } }));
  button.closest("[popover]")?.hidePopover?.();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  event.preventDefault();
  reveal(button);
});
document.addEventListener("visibilitychange", () => document.hidden && [...shown.keys()].forEach(mask));
