// After 18 minutes without a key or a click: a warning for two minutes; staying asks the server for a page, so the session lives on.
const WARN_AFTER = 18 * 60_000;
const CLOSE_AFTER = 20 * 60_000;
let last = Date.now();
const signedIn = document.body.hasAttribute("data-signed-in");
const dialog = () => document.getElementById("idle-warning");

async function stay() {
  last = Date.now();
  dialog()?.close();
  await fetch(location.href, { method: "HEAD" });
}

function look() {
  const idle = Date.now() - last;
  if (idle >= CLOSE_AFTER) location.reload();
  else if (idle >= WARN_AFTER && !dialog()?.open) dialog()?.showModal();
}

if (signedIn) {
  ["keydown", "pointerdown", "wheel"].forEach((kind) => addEventListener(kind, () => !dialog()?.open && (last = Date.now()), { passive: true }));
  document.addEventListener("click", (event) => event.target.closest("[data-stay]") && stay());
  setInterval(look, 15_000);
}
