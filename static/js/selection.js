// Ticking rows: one, a range with Shift, all; the bulk bar shows how many and the sum.
let last = null;
const boxes = () => [...document.querySelectorAll("[data-select]")];

function tell() {
  const chosen = boxes().filter((box) => box.checked);
  const bar = document.querySelector("[data-bulk]");
  const all = document.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen.length > 0 && chosen.length === boxes().length;
    all.indeterminate = chosen.length > 0 && !all.checked;
  }
  if (!bar) return;
  bar.hidden = chosen.length === 0;
  const count = bar.querySelector("[data-bulk-count]");
  if (count) count.textContent = chosen.length;
  const sum = bar.querySelector("[data-bulk-sum]");
  if (!sum) return;
  const yuan = chosen.reduce((total, box) => total + Number(box.dataset.amount ?? 0), 0);
  sum.textContent = money(yuan, document.documentElement.lang.startsWith("zh"));
}

// The same rule as staff/formats.py, for the one sum that is made in the browser.
function money(yuan, chinese) {
  if (!chinese) return yuan >= 1e6 ? `¥${(yuan / 1e6).toFixed(1)}M` : `¥${Math.round(yuan / 1e3)}K`;
  if (yuan >= 1e8) return `${(yuan / 1e8).toFixed(2)} 亿`;
  return yuan >= 1e4 ? `${(yuan / 1e4).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} 万` : `${Math.round(yuan).toLocaleString("en")} 元`;
}

function clear() {
  boxes().forEach((box) => (box.checked = false));
  last = null;
  tell();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-select]");
  if (box) {
    const list = boxes();
    if (event.shiftKey && last?.isConnected) {
      const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
      list.slice(from, to + 1).forEach((one) => (one.checked = box.checked));
    }
    last = box;
    tell();
  } else if (event.target.closest("[data-select-clear]")) clear();
});
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-select-all]")) return event.target.matches("[data-select]") && tell();
  boxes().forEach((box) => (box.checked = event.target.checked));
  tell();
});
document.addEventListener("selection:clear", clear);
document.addEventListener("htmx:afterSettle", tell);
tell();
