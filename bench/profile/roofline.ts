/** A profile drawn as a roofline: GFLOP/s over FLOP a byte, each dispatch a dot as large as its time, under the adapter's roof. */
import { figure } from "../../src/formats/figure.ts";
import { printable } from "../../src/formats/printable.ts";
import type { Peak } from "../../src/gpu/probe.ts";
import type { Profile, ProfiledKernel } from "./measure.ts";
import { wholeMs } from "./table.ts";

/** Pixels of the picture, and of the margins around the plot. */
const WIDTH = 1080;
const HEIGHT = 680;
const LEFT = 84;
const RIGHT = 250;
const TOP = 64;
const BOTTOM = 64;

/** The largest dot's radius, and how many of the longest have numbers and names. */
const MOST_RADIUS = 18;
const NAMED = 16;

/** Dispatches that take less of the run are not drawn. */
const LEAST_SHARE = 0.003;

/** Colours of layer types, the ones that take longest first. */
const COLOURS = ["#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#64473a", "#9b9a97"];

/** A dispatch's place: FLOP a byte, and GFLOP/s. */
const placeOf = ({ executedFlops, bytes, ms }: ProfiledKernel) => ({
  intensity: executedFlops / bytes,
  gflops: executedFlops / ms / 1e6,
});

/** Draws it. Dispatches that take no time worth speaking of, or compute nothing, are left out and counted. */
export function rooflineSvg(profile: Profile, peak: Peak, adapter: string): string {
  const { title, kernels } = profile;
  const whole = wholeMs(profile);
  const drawn = kernels.filter(({ executedFlops, ms }) => executedFlops > 0 && ms >= LEAST_SHARE * whole);
  const places = drawn.map(placeOf);
  const ridge = peak.gflops / peak.gigabytes;
  const xs = [...places.map(({ intensity }) => intensity), ridge];
  const ys = [...places.map(({ gflops }) => gflops), peak.gflops];
  const [fromX, toX] = decades(xs);
  const [fromY, toY] = decades(ys);
  const x = (value: number) => LEFT + (WIDTH - LEFT - RIGHT) * (Math.log10(value) - fromX) / (toX - fromX);
  const y = (value: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (Math.log10(value) - fromY) / (toY - fromY);
  const roof = (intensity: number) => Math.min(peak.gflops, intensity * peak.gigabytes);
  const start = Math.max(10 ** fromX, 10 ** fromY / peak.gigabytes);
  const longest = Math.max(...drawn.map(({ ms }) => ms));
  const types = typesOf(drawn);
  const colour = (kernel: ProfiledKernel) => COLOURS[Math.min(types.indexOf(kernel.op ?? "other"), COLOURS.length - 1)];
  const bySize = drawn.map((kernel, n) => ({ kernel, ...places[n] })).sort((a, b) => b.kernel.ms - a.kernel.ms);
  const radius = (ms: number) => Math.max(3, MOST_RADIUS * Math.sqrt(ms / longest));

  const dots = bySize.map(({ kernel, intensity, gflops }) => {
    const fill = kernel.pass === "forward"
      ? `fill="${colour(kernel)}"`
      : `fill="white" stroke="${colour(kernel)}" stroke-width="2"`;
    const told = `${kernel.kernel}, ${kernel.way ?? "the search's own"}: ${kernel.ms.toPrecision(3)} ms, ` +
      `${figure(gflops, 1)} GFLOP/s, ${figure(kernel.bytes / kernel.ms / 1e6, 1)} GB/s`;
    return `<circle cx="${at(x(intensity))}" cy="${at(y(gflops))}" r="${
      at(radius(kernel.ms))
    }" ${fill} fill-opacity="0.75">` +
      `<title>${escaped(told)}</title></circle>`;
  });
  const named = bySize.slice(0, NAMED).map(({ kernel, intensity, gflops }): Dot => [
    x(intensity),
    y(gflops),
    radius(kernel.ms),
  ]);
  const numbers = numberPlaces(named).map(([left, top], n) => {
    const [middle, height] = named[n];
    const isInside = left === middle && top === height;
    const style = isInside && bySize[n].kernel.pass === "forward"
      ? 'fill="white"'
      : 'fill="#222" stroke="white" stroke-width="2" paint-order="stroke"';
    return (isInside ? "" : line(middle, height, left, top, "#888")) +
      text(left, top + 3.5, String(n + 1), `text-anchor="middle" font-size="10" ${style}`);
  });
  const legend = types.map((type, n) => {
    const top = TOP + 12 + 20 * n;
    const own = drawn.filter(({ op = "other" }) => op === type);
    const percent = 100 * own.reduce((sum, { ms }) => sum + ms, 0) / whole;
    return `<circle cx="${WIDTH - RIGHT + 34}" cy="${top - 4}" r="6" fill="${
      COLOURS[Math.min(n, COLOURS.length - 1)]
    }"/>` +
      text(WIDTH - RIGHT + 48, top, `${type}, ${percent.toFixed(1)} % of the run`);
  });
  const below = TOP + 24 + 20 * types.length;
  const list = below + 78;
  const longestOnes = bySize.slice(0, NAMED).map(({ kernel: { kernel, ms } }, n) =>
    text(
      WIDTH - RIGHT + 28,
      list + 18 * n,
      `${n + 1}  ${kernel.length > 22 ? `${kernel.slice(0, 21)}…` : kernel}, ${ms.toPrecision(3)} ms`,
    )
  );
  const left = kernels.length - drawn.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="#222">
<rect width="100%" height="100%" fill="white"/>
${text(LEFT, 28, title, 'font-size="17" font-weight="600"')}
${
    text(
      LEFT,
      48,
      `${adapter}: peak ${peak.gflops.toFixed(1)} GFLOP/s, ${peak.gigabytes.toFixed(1)} GB/s, measured in the same run`,
    )
  }
${
    grid(fromX, toX).map((tick) =>
      line(x(tick), TOP, x(tick), HEIGHT - BOTTOM, "#e5e5e5") +
      text(x(tick), HEIGHT - BOTTOM + 20, short(tick), 'text-anchor="middle"')
    ).join("\n")
  }
${
    grid(fromY, toY).map((tick) =>
      line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "#e5e5e5") +
      text(LEFT - 8, y(tick) + 4, short(tick), 'text-anchor="end"')
    ).join("\n")
  }
<polyline points="${
    [start, ridge, 10 ** toX].map((value) => `${at(x(value))},${at(y(roof(value)))}`).join(" ")
  }" fill="none" stroke="#222" stroke-width="2"/>
${dots.join("\n")}
${numbers.join("\n")}
${legend.join("\n")}
${text(WIDTH - RIGHT + 28, below, "filled: forward, rings: gradients")}
${text(WIDTH - RIGHT + 28, below + 18, "area: time")}
${left > 0 ? text(WIDTH - RIGHT + 28, below + 36, `left out: ${left} below ${100 * LEAST_SHARE} %`) : ""}
${longestOnes.join("\n")}
${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "executed FLOP a byte of its tensors", 'text-anchor="middle"')}
<text transform="translate(22 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">executed GFLOP/s</text>
</svg>
`;
}

/** A dot's place and radius in pixels. */
type Dot = readonly [x: number, y: number, radius: number];

/** Pixels that a number takes, two digits of them. */
const NUMBER = { width: 14, height: 11 };

/** Where the numbers of dots stand: in their middle, or beside it as near as none is yet. */
function numberPlaces(dots: readonly Dot[]): [x: number, y: number][] {
  const taken: [x: number, y: number][] = [];
  const isFree = (x: number, y: number) =>
    taken.every(([left, top]) => Math.abs(left - x) >= NUMBER.width || Math.abs(top - y) >= NUMBER.height);
  for (const [x, y, radius] of dots) {
    let own: [x: number, y: number] = [x, y];
    for (let turn = 0; !isFree(...own); turn++) {
      const far = radius + 8 + Math.floor(turn / 8);
      own = [x + far * Math.cos(turn * Math.PI / 4), y - far * Math.sin(turn * Math.PI / 4)];
    }
    taken.push(own);
  }
  return taken;
}

/** Types by the time that they take. */
function typesOf(kernels: readonly ProfiledKernel[]): string[] {
  const sums = new Map<string, number>();
  for (const { op = "other", ms } of kernels) sums.set(op, (sums.get(op) ?? 0) + ms);
  return [...sums.keys()].sort((a, b) => sums.get(b)! - sums.get(a)!);
}

/** The whole powers of ten around values, as exponents, with some space to the outermost. */
function decades(values: readonly number[]): [number, number] {
  const sound = values.filter((value) => value > 0 && Number.isFinite(value));
  const least = Math.floor(Math.log10(Math.min(...sound)) - 0.05);
  const most = Math.ceil(Math.log10(Math.max(...sound)) + 0.05);
  return [least, Math.max(most, least + 1)];
}

const grid = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n));

const at = (value: number): string => value.toFixed(1);

const short = (value: number): string => value >= 1 ? value.toLocaleString("en") : String(Number(value.toPrecision(1)));

const line = (x1: number, y1: number, x2: number, y2: number, stroke: string): string =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}"/>`;

const text = (x: number, y: number, words: string, style = ""): string =>
  `<text x="${at(x)}" y="${at(y)}"${style && ` ${style}`}>${escaped(words)}</text>`;

/** Names come from files; they are text, not markup. */
const escaped = (words: string): string => printable(words).replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
