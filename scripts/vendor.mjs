// Copies what the pages use from node_modules to static/vendor/, builds the icon sprite, and
// writes static/vendor/vendor.json. Run it after `npm ci`; the copies are committed.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "static", "vendor");

// Tabler stands in a cascade layer, so that a plain rule of ours wins without !important.
const layered = (css) => `@layer tabler {\n${css.replace('@charset "UTF-8";', "").trim()}\n}\n`;

const TABLER_LICENCE = `MIT License

Copyright (c) 2018-2025 The Tabler Authors
Copyright (c) 2018-2025 codecalm.net Pawel Kuna

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

const PACKAGES = [
  {
    name: "@tabler/core",
    licence: "MIT",
    files: {
      "tabler/tabler.min.css": ["dist/css/tabler.min.css", layered],
    },
    texts: { "tabler/LICENSE": TABLER_LICENCE },
  },
  {
    name: "@fontsource-variable/inter",
    licence: "OFL-1.1",
    files: {
      "inter/inter-latin.woff2": ["files/inter-latin-wght-normal.woff2"],
      "inter/LICENSE": ["LICENSE"],
    },
  },
  {
    name: "echarts",
    licence: "Apache-2.0",
    files: {
      "echarts/echarts.esm.min.js": ["dist/echarts.esm.min.js"],
      "echarts/LICENSE": ["LICENSE"],
      "echarts/NOTICE": ["NOTICE"],
    },
  },
  {
    name: "sortablejs",
    licence: "MIT",
    files: { "sortable/sortable.min.js": ["Sortable.min.js"], "sortable/LICENSE": ["LICENSE"] },
  },
  { name: "@tabler/icons", licence: "MIT", files: { "icons/LICENSE": ["LICENSE"] } },
];

// The names are Tabler's own (outline). One line a meaning.
const ICONS = `
  checklist users layout-kanban alert-triangle calendar confetti message-2 message chart-bar report-analytics
  clipboard-list clipboard-text users-group package news bookmark adjustments-horizontal adjustments history
  file-dollar file-certificate layout-dashboard arrows-shuffle school user-cog building sitemap shield-lock
  search database bell moon sun help-circle selector settings logout language key lifebuoy home mail robot
  trending-down clock-exclamation calendar-event cake activity world target-arrow
  phone brand-wechat device-mobile map-pin
  plus minus x check circle-check alert-circle info-circle dots refresh plug-connected-x wifi-off urgent ban
  pencil pencil-plus clock clock-pause eye eye-off lock shield-check id-badge-2 id building-bank keyboard
  printer download upload arrows-sort sort-ascending sort-descending list layout-grid columns-3 filter filter-plus list-search
  user user-plus user-star user-check tag calendar-plus calendar-time briefcase bulb hourglass-high circle-x
  player-pause player-play circle-dashed heart-handshake star gift ear volume-off accessible coin report-money
  chevron-up chevron-down chevron-left chevron-right arrow-right arrow-left arrow-up arrow-down corner-down-left
  adjustments-alt affiliate arrow-merge arrows-exchange arrows-split bookmarks calculator certificate chart-donut chart-pie circle-plus
  clipboard-check coins copy crown diamond edit file-alert file-export file-import file-spreadsheet files flag friends git-merge heart
  home-2 layers-intersect link list-check list-details mail-off message-off phone-off pin pinned player-stop puzzle question-mark scale
  share shield shield-x stack-2 tags target template trending-up unlink user-heart user-search users-plus versions wallet
  arrow-back-up external-link trash device-floppy file-text table notes chart-line sparkles hand-stop grip-vertical
`.trim().split(/\s+/).sort();

const read = (...parts) => readFileSync(join(modules, ...parts));
const version = (name) => JSON.parse(read(name, "package.json")).version;

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return createHash("sha256").update(content).digest("hex");
}

// Manifest storage fails on a map that is not there.
function withoutMap(name, content) {
  if (!/\.(css|js)$/.test(name)) return content;
  return content.toString("utf8").replace(/^\/[/*]# sourceMappingURL=.*$/gm, "");
}

function sprite() {
  const symbols = ICONS.map((name) => {
    const svg = read("@tabler/icons", "icons", "outline", `${name}.svg`).toString("utf8");
    const shapes = svg
      .slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"))
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "")
      .replace(/\s*\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

rmSync(vendor, { recursive: true, force: true });
const list = PACKAGES.map(({ name, licence, files, texts = {} }) => {
  const sha256 = {};
  for (const [target, [source, change]] of Object.entries(files)) {
    let content = withoutMap(source, read(name, source));
    if (change) content = change(content.toString("utf8"));
    sha256[target] = write(join(vendor, target), content);
  }
  for (const [target, text] of Object.entries(texts)) sha256[target] = write(join(vendor, target), text);
  if (name === "@tabler/icons") sha256["../img/icons.svg"] = write(join(root, "static/img/icons.svg"), sprite());
  return { name, version: version(name), licence, sha256 };
});
write(join(vendor, "vendor.json"), JSON.stringify(list, null, 2) + "\n");
console.log(`${list.length} packages, ${ICONS.length} icons`);
