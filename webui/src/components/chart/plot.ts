/** The canvas of a chart: uPlot, kept in a chunk of its own. Styles are set by CSSOM, as the page's policy wants. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { ceiling, stack, timeLabel, type ChartKind, type ChartSeries, type ChartTone } from "./shape";

export interface PlotInput {
  /** Where each bucket begins, in seconds. */
  at: number[];
  step: number;
  series: ChartSeries[];
  kind: ChartKind;
  /** Top of the scale; absent: what the values need. */
  max?: number | undefined;
  /** The scale is never lower than this. */
  least: number;
  format: (value: number) => string;
  locale: string | undefined;
  height: number;
  /** Charts of one name show the same moment. */
  sync?: string | undefined;
  /** The bucket under the pointer and its place, or undefined. */
  hover: (index: number | undefined, left: number, width: number) => void;
  pick?: ((index: number) => void) | undefined;
}

export interface Plot {
  update(input: PlotInput): void;
  /** Colours have changed. */
  recolour(): void;
  destroy(): void;
}

type Tone = ChartTone | "line" | "text";

type Paint = (tone: Tone, alpha?: number) => string;

const TOKENS: Record<Tone, string> = {
  accent: "--chart-accent",
  good: "--chart-good",
  wait: "--chart-wait",
  bad: "--chart-bad",
  quiet: "--chart-quiet",
  line: "--line",
  text: "--quiet",
};

/** The tokens' colours as the canvas needs them, of the place where the chart stands. */
function palette(host: HTMLElement): Paint {
  const found = new Map<string, string>();
  return (tone, alpha = 1) => {
    const colour = `color-mix(in srgb, var(${TOKENS[tone]}) ${String(alpha * 100)}%, transparent)`;
    const known = found.get(colour);
    if (known !== undefined) return known;
    const probe = document.createElement("span");
    probe.hidden = true;
    probe.style.color = colour;
    host.append(probe);
    const computed = getComputedStyle(probe).color;
    probe.remove();
    found.set(colour, computed);
    return computed;
  };
}

function data(input: PlotInput): uPlot.AlignedData {
  const middle = input.at.map((at) => at + input.step / 2);
  const columns = input.series.map((series) => series.values);
  // The highest of a stack is drawn first and the others over it.
  return [middle, ...(input.kind === "bars" ? stack(columns).reverse() : columns)];
}

function under(u: uPlot, paint: Paint, tone: Tone): CanvasGradient {
  const gradient = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
  gradient.addColorStop(0, paint(tone, 0.28));
  gradient.addColorStop(1, paint(tone, 0.02));
  return gradient;
}

/** Marks of the value axis: whole numbers, since calls come whole. */
const STEPS = [1, 10, 100, 1000, 10000, 100000].flatMap((unit) => [unit, 2 * unit, 5 * unit]);

function options(host: HTMLElement, now: () => PlotInput, paint: () => Paint): uPlot.Options {
  const { kind, series, height, sync } = now();
  const bars = uPlot.paths.bars?.({ size: [0.74, 48], radius: 0.12, gap: 0 });
  const line = uPlot.paths.spline?.();
  const drawn = kind === "bars" ? [...series].reverse() : series;
  const ink = { stroke: () => paint()("text"), font: `12px ${getComputedStyle(host).fontFamily}` };
  const grid = { stroke: () => paint()("line"), width: 1 };
  const from = (): number => now().at[0] ?? 0;
  const to = (): number => (now().at.at(-1) ?? 0) + now().step;

  return {
    width: Math.max(host.clientWidth, 50),
    height,
    legend: { show: false },
    padding: [8, 26, 0, 0],
    scales: {
      x: { time: true, range: () => [from(), to()] },
      y: { range: () => [0, now().max ?? ceiling(data(now()).slice(1) as (number | null)[][], now().least)] },
    },
    axes: [
      {
        ...ink,
        space: 64,
        size: 30,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        values: (_u, splits, _axis, _space, apart) => splits.map((at) => timeLabel(at, apart, now().locale)),
      },
      {
        ...ink,
        grid,
        ticks: { show: false },
        space: 36,
        size: (_u, values) => Math.max(28, ...((values ?? []) as (string | null)[]).map((text) => 12 + (text?.length ?? 0) * 7)),
        incrs: now().max === undefined ? STEPS : [25, 50],
        values: (_u, splits) => splits.map((value) => now().format(value)),
      },
    ],
    cursor: {
      x: kind === "line",
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: { show: kind === "line", size: 8 },
      ...(sync === undefined ? {} : { sync: { key: sync, setSeries: false } }),
    },
    series: [
      {},
      ...drawn.map(({ tone }): uPlot.Series => {
        const stroke = (): string => paint()(tone);
        if (kind === "bars") return { stroke, fill: stroke, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) };
        return { stroke, fill: (u) => under(u, paint(), tone), width: 2, spanGaps: false, points: { size: 5, fill: stroke }, ...(line ? { paths: line } : {}) };
      }),
    ],
    hooks: {
      setCursor: [
        (u) => {
          const { idx, left } = u.cursor;
          const at = idx === null || idx === undefined ? undefined : u.data[0][idx];
          const inside = left !== undefined && left >= 0 && at !== undefined;
          const place = inside ? u.valToPos(at, "x") + u.bbox.left / devicePixelRatio : 0;
          now().hover(inside ? (idx ?? undefined) : undefined, place, u.width);
        },
      ],
    },
  };
}

export function makePlot(host: HTMLElement, first: PlotInput): Plot {
  let input = first;
  let colours = palette(host);
  const u = new uPlot(options(host, () => input, () => colours), data(input), host);
  const resized = new ResizeObserver(() => {
    if (host.clientWidth > 0 && host.clientWidth !== u.width) u.setSize({ width: host.clientWidth, height: input.height });
  });
  resized.observe(host);
  u.over.addEventListener("click", () => {
    if (u.cursor.idx !== null && u.cursor.idx !== undefined) input.pick?.(u.cursor.idx);
  });

  return {
    update(next) {
      input = next;
      u.setData(data(input));
    },
    recolour() {
      colours = palette(host);
      // Bars keep the colour they were made with: their paths are made anew.
      u.redraw(true, true);
    },
    destroy() {
      resized.disconnect();
      u.destroy();
    },
  };
}
