/** How the activation grew. */
import { figure } from "../../src/formats/figure.ts";

/** What is drawn: the activation of each picture at every iteration. */
interface Given {
  traces: readonly (readonly number[])[];
  /** The picture whose curve stands out, and the iteration that is shown. */
  selected: number;
  at: number;
  length: number;
}

const WIDTH = 600;
const HEIGHT = 150;
const EDGE = 6;

/** The curves, their range beside them. */
export function Curve({ traces, selected, at, length }: Given) {
  const values = traces.flat().filter((value) => value !== undefined);
  const least = values.reduce((a, b) => Math.min(a, b), 0);
  const most = values.reduce((a, b) => Math.max(a, b), least + 1e-6);
  const x = (iteration: number) => EDGE + (WIDTH - 2 * EDGE) * (iteration - 1) / Math.max(1, length - 1);
  const y = (value: number) => HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - least) / (most - least);
  const path = (trace: readonly number[]) => {
    const points: string[] = [];
    trace.forEach((value, n) => points.push(`${x(n + 1).toFixed(1)},${y(value).toFixed(1)}`));
    return points.join(" ");
  };
  const now = traces[selected]?.[at - 1];
  return (
    <figure class="curve">
      <figcaption>
        <h2>Activation</h2>
        <output>{now === undefined ? "–" : figure(now, 1)}</output>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Activation over ${traces[selected]?.length ?? 0} iterations, ${
          now === undefined ? "none yet" : figure(now, 1)
        } at iteration ${at}`}
      >
        <line class="axis" x1={EDGE} x2={WIDTH - EDGE} y1={y(0)} y2={y(0)} />
        {traces.map((trace, n) => <polyline key={n} class={n === selected ? "own" : "other"} points={path(trace)} />)}
        {now !== undefined && <circle cx={x(at)} cy={y(now)} r="4.5" />}
      </svg>
    </figure>
  );
}
