// After 18 minutes without a key or a click in any tab: a warning for two minutes. Staying touches the session;
// else the page is veiled and asks for sign-in, and what was written stays where it is.
const WARN_AFTER = 18 * 60_000;
const CLOSE_AFTER = 20 * 60_000;
const KEPT = "last-activity"; // shared by the tabs of one browser
const signedIn = document.body.hasAttribute("data-signed-in");
const warning = () => document.getElementById("idle-warning");
const signedOut = () => document.getElementById("signed-out");
let noted = 0;

function note() {
  if (warning()?.open || Date.now() - noted < 5000) return;
  noted = Date.now();
  localStorage.setItem(KEPT, noted);
}

async function stay() {
  warning()?.close();
  noted = 0;
  note();
  await fetch("/healthz");
}

function look() {
  const idle = Date.now() - Number(localStorage.getItem(KEPT) ?? Date.now());
  if (idle < WARN_AFTER) return warning()?.open && warning().close();
  if (idle < CLOSE_AFTER) return warning()?.open || warning()?.showModal();
  if (signedOut()?.open) return undefined;
  warning()?.close();
  document.body.classList.add("is-veiled");
  return signedOut()?.showModal();
}

if (signedIn) {
  note();
  ["keydown", "pointerdown", "wheel"].forEach((kind) => addEventListener(kind, note, { passive: true }));
  document.addEventListener("htmx:afterRequest", note);
  document.addEventListener("click", (event) => event.target.closest("[data-stay]") && stay());
  document.addEventListener("cancel", (event) => event.target === signedOut() && event.preventDefault(), true);
  setInterval(look, 15_000);
}
