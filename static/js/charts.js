// Charts by ECharts as SVG. <div data-chart="kind" data-source="id of a JSON script">. Values stand in the unit that
// `unit` names ("万"); null is a gap. Colours are token names ("--chart-d"), read when drawn and again on a change of theme.
//   stacked-area {labels, series: [{name, color, data}], lines: [{name, value}], marks: [{index, name}], unit}
//   line         {labels, series: [{name, color, data, dashed}], lines, unit, percent, min}
//   bars         {labels, series: [{name, color, data}], stacked, unit, lines, dim_after}
//   steps        {labels, series: [{name, color, data}], marks, unit}: a balance that holds until it changes
//   calibration  {points: [{predicted, actual, share}]}, all 0-1
import * as echarts from "../vendor/echarts/echarts.esm.min.js";
import { words } from "./words.js";

const drawn = new Map();
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (name, fallback = "--chart-p") => (name?.startsWith("--") ? token(name) : name) || token(fallback);
const number = (value, digits = 1) => (value === null || value === undefined ? "—" : Number(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));

function text() {
  return { color: token("--ink-3"), fontSize: 11, fontFamily: token("--font") };
}

function frame(data, { boundaryGap = false, right = 16 } = {}) {
  return {
    animation: false,
    aria: { enabled: true },
    textStyle: { fontFamily: token("--font") },
    grid: { left: 8, right, top: 24, bottom: 4, containLabel: true },
    xAxis: {
      type: "category", data: data.labels, boundaryGap, axisTick: { show: false },
      axisLine: { lineStyle: { color: token("--line") } }, axisLabel: { ...text(), hideOverlap: true },
    },
    yAxis: {
      type: "value", min: data.min, splitNumber: 4, splitLine: { lineStyle: { color: token("--line-2") } },
      axisLabel: { ...text(), formatter: (value) => (data.percent ? `${Math.round(value * 100)}%` : value.toLocaleString("en")) },
    },
    tooltip: tooltip(data),
  };
}

function tooltip(data) {
  const shown = (value) => (data.percent ? `${number(value * 100)}%` : `${number(value)} ${data.unit ?? ""}`);
  return {
    trigger: "axis", renderMode: "richText", confine: true, backgroundColor: token("--surface"), borderColor: token("--line"), borderWidth: 1, padding: [8, 12],
    axisPointer: { type: "line", lineStyle: { color: token("--control"), width: 1 } },
    textStyle: { color: token("--ink"), fontSize: 12, lineHeight: 18, fontFamily: token("--font") },
    formatter: (points) => {
      const parts = points.filter((point) => point.seriesName && !point.seriesName.startsWith("\u0000"));
      const stacked = (data.stacked || data.total) && parts.length > 1;
      const total = parts.reduce((sum, point) => sum + (point.value ?? 0), 0);
      const lines = parts.map((point) => `${point.seriesName}  ${shown(point.value)}${stacked && total ? `  ${Math.round((100 * point.value) / total)}%` : ""}`);
      return [points[0]?.axisValueLabel, ...(stacked ? [`${words("total")}  ${shown(total)}`] : []), ...lines].join("\n");
    },
  };
}

function thresholds(data) {
  if (!data.lines?.length) return undefined;
  return {
    silent: true, symbol: "none", lineStyle: { color: token("--ink"), type: [3, 3], width: 1 },
    data: data.lines.map((line) => ({ yAxis: line.value, name: line.name })),
    label: { ...text(), position: "end", formatter: (point) => point.name },
  };
}

function totals(data) {
  return data.labels.map((label, index) => {
    const values = data.series.map((one) => one.data[index]).filter((value) => value !== null && value !== undefined);
    return values.length ? values.reduce((sum, value) => sum + value, 0) : null;
  });
}

function marks(data, values) {
  if (!data.marks?.length) return undefined;
  return {
    silent: true, symbol: "circle", symbolSize: 7, itemStyle: { color: token("--ink"), borderColor: token("--surface"), borderWidth: 2 },
    label: { show: true, position: "top", formatter: (point) => point.name, ...text(), color: token("--ink-2") },
    data: data.marks.map((mark) => ({
      name: mark.name, coord: [mark.index, values[mark.index] ?? 0],
      label: { align: mark.index === 0 ? "left" : mark.index === values.length - 1 ? "right" : "center" },
    })),
  };
}

function stackedArea(data) {
  const all = totals(data);
  const parts = data.series.map((one) => ({
    name: one.name, type: "line", stack: "all", symbol: "none", data: one.data, lineStyle: { width: 0 }, connectNulls: false,
    itemStyle: { color: colour(one.color) }, areaStyle: { color: colour(one.color), opacity: 0.82 }, emphasis: { disabled: true },
  }));
  const top = {
    name: "\u0000total", type: "line", data: all, symbol: "none", lineStyle: { color: token("--ink"), width: 1.5 }, itemStyle: { color: token("--ink") }, z: 5,
    endLabel: { show: true, formatter: (point) => `${number(point.value)} ${data.unit ?? ""}`, color: token("--ink"), fontWeight: 600, fontSize: 12 },
    markLine: thresholds(data), markPoint: marks(data, all), emphasis: { disabled: true },
  };
  const options = frame({ ...data, total: true }, { right: 96 });
  const last = all.findLast((value) => value !== null) ?? 0;
  const highest = Math.max(...all.filter((value) => value !== null), 0, ...(data.lines ?? []).map((line) => line.value).filter((value) => value < 2 * Math.max(...all)));
  options.yAxis.max = highest ? nice(highest * 1.08) : undefined;
  // The label of the newest total steps aside of a threshold's that is near it.
  const near = data.lines?.find((line) => Math.abs(line.value - last) < 0.08 * (options.yAxis.max ?? 0));
  if (near) top.endLabel.offset = [0, last >= near.value ? -10 : 10];
  options.yAxis.interval = highest ? options.yAxis.max / 4 : undefined;
  return { ...options, series: [...parts, top] };
}

// How much room the names at the end of the threshold lines need.
function widest(lines) {
  const width = (name) => [...name].reduce((sum, character) => sum + (character.charCodeAt(0) > 255 ? 11 : 6.2), 12);
  return Math.max(0, ...(lines ?? []).map((line) => width(line.name)));
}

// The next round number above: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10].find((step) => step * power >= value);
}

function lines(data) {
  const series = data.series.map((one, index) => ({
    name: one.name, type: "line", data: one.data, symbol: "none", connectNulls: false, step: data.step ? "end" : false,
    lineStyle: { color: colour(one.color, "--primary"), width: 2, type: one.dashed ? "dashed" : "solid" }, itemStyle: { color: colour(one.color, "--primary") },
    areaStyle: data.step ? { color: colour(one.color, "--churn"), opacity: 0.08 } : undefined,
    endLabel: { show: data.series.length > 1, formatter: (point) => `${one.name} ${data.percent ? `${number(point.value * 100)}%` : number(point.value)}`, color: token("--ink"), fontSize: 12 },
    markLine: index === 0 ? thresholds(data) : undefined, markPoint: index === 0 ? marks(data, one.data) : undefined, emphasis: { disabled: true },
  }));
  const options = frame(data, { right: data.series.length > 1 ? 96 : 24 });
  options.yAxis.scale = data.min === undefined && !data.step;
  return { ...options, series };
}

function bars(data) {
  const series = data.series.map((one, index) => ({
    name: one.name, type: "bar", stack: data.stacked ? "all" : undefined, barMaxWidth: 26, barGap: "20%", emphasis: { disabled: true },
    data: one.data.map((value, at) => (data.dim_after !== undefined && at > data.dim_after ? { value, itemStyle: { color: token("--chart-p") } } : value)),
    itemStyle: { color: colour(one.color, "--primary"), borderColor: token("--surface"), borderWidth: data.stacked ? 1 : 0, borderRadius: data.stacked && index < data.series.length - 1 ? 0 : [3, 3, 0, 0] },
    markLine: index === 0 ? thresholds(data) : undefined,
  }));
  return { ...frame(data, { boundaryGap: true, right: data.lines?.length ? 56 : 12 }), series };
}

function calibration({ points }) {
  const data = { labels: points.map((point) => `${Math.round(point.predicted * 100)}%`), percent: true, min: 0 };
  const options = frame(data, { boundaryGap: true });
  Object.assign(options.yAxis, { max: 1, interval: 0.25 });
  const line = (name, values, look) => ({ name, type: "line", data: values, symbol: "circle", symbolSize: 6, emphasis: { disabled: true }, ...look });
  return {
    ...options,
    series: [
      { name: words("share"), type: "bar", data: points.map((point) => point.share), barMaxWidth: 18, itemStyle: { color: token("--track") }, emphasis: { disabled: true } },
      line(words("predicted"), points.map((point) => point.predicted), { symbol: "none", lineStyle: { color: token("--ink-3"), type: "dashed", width: 1 }, itemStyle: { color: token("--ink-3") } }),
      line(words("actual"), points.map((point) => point.actual), { lineStyle: { color: token("--primary"), width: 2 }, itemStyle: { color: token("--primary") } }),
    ],
  };
}

const KINDS = { "stacked-area": stackedArea, line: lines, steps: (data) => lines({ ...data, step: true }), bars, calibration };

// The same numbers for those who read them; filled when it is opened.
function table(element, data) {
  const place = document.querySelector(`[data-chart-table="${CSS.escape(element.id)}"] .table-wrap`);
  if (!place || place.childElementCount || !(data.series || data.points)) return;
  const names = data.points ? [words("predicted"), words("actual"), words("share")] : data.series.map((one) => one.name);
  const rows = data.points ? data.points.map((point) => ["", point.predicted, point.actual, point.share].map((value) => value === "" ? "" : value)) : data.labels.map((label, index) => [label, ...data.series.map((one) => one.data[index])]);
  const sheet = document.createElement("table");
  sheet.className = "table table--compact";
  const head = sheet.createTHead().insertRow();
  [words("period"), ...names].forEach((name, index) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    if (index) cell.className = "num";
    head.append(cell);
  });
  const body = sheet.createTBody();
  rows.forEach((row, at) => {
    const line = body.insertRow();
    row.forEach((value, index) => {
      const cell = line.insertCell();
      cell.textContent = index ? number(value, data.points ? 3 : 1) : value || at + 1;
      if (index) cell.className = "num";
    });
  });
  place.append(sheet);
}

function draw(element) {
  const source = document.getElementById(element.dataset.source);
  const kind = KINDS[element.dataset.chart];
  if (!source || !kind) return;
  const data = JSON.parse(source.textContent);
  const chart = drawn.get(element) ?? echarts.init(element, null, { renderer: "svg" });
  const label = element.getAttribute("aria-label");
  const options = kind(data);
  if (label) options.aria = { enabled: true, label: { description: label } };
  chart.setOption(options, { notMerge: true });
  drawn.set(element, chart);
  table(element, data);
}

const sizes = new ResizeObserver((entries) => entries.forEach((entry) => drawn.get(entry.target)?.resize()));

export function start(root) {
  for (const [element, chart] of drawn) {
    if (element.isConnected) continue;
    chart.dispose();
    sizes.unobserve(element);
    drawn.delete(element);
  }
  const found = [...(root.matches?.("[data-chart]") ? [root] : []), ...root.querySelectorAll("[data-chart]")];
  found.forEach((element) => {
    draw(element);
    sizes.observe(element);
  });
}

const redraw = () => drawn.forEach((chart, element) => draw(element));
document.addEventListener("theme:changed", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
