// Sign-in: show the password, and say when Caps Lock is on.
export function start(root) {
  root.querySelectorAll("[data-show-password]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = button.parentElement.querySelector("input");
      const show = field.type === "password";
      field.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", show);
      field.focus();
    });
  });
  const notice = root.querySelector("[data-caps-lock]");
  root.querySelectorAll("input[type=password]").forEach((field) =>
    ["keydown", "keyup"].forEach((kind) =>
      field.addEventListener(kind, (event) => notice && (notice.hidden = !event.getModifierState?.("CapsLock"))),
    ),
  );
}
