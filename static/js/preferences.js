// The moon button: the theme changes at once and is kept on the server.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form) return;
  event.preventDefault();
  const theme = event.submitter?.value === "dark" ? "dark" : "light";
  const root = document.documentElement;
  delete root.dataset.followsSystem;
  root.dataset.bsTheme = theme;
  document.dispatchEvent(new CustomEvent("theme:changed"));
  form.querySelector(theme === "dark" ? ".when-dark" : ".when-light")?.focus();
  const body = new FormData(form);
  body.set("theme", theme);
  await fetch(form.action, { method: "POST", body, redirect: "manual" });
});
