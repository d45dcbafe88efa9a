// Before the first paint: a person without a chosen theme gets the system's. Not a module, so that it runs at once.
(() => {
  const root = document.documentElement;
  if (root.dataset.bsTheme !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (root.dataset.followsSystem !== undefined) root.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  root.dataset.followsSystem = "";
  follow();
  dark.addEventListener("change", follow);
})();
