/** NumPy's rule for shapes that differ, and the gradient of what was stretched: a sum. */
import { reduce } from "../../shaders/items.ts";
import { channelBlocks } from "../../shaders/texels.ts";
import { UserError } from "../formats/user_error.ts";
import { type Binding, type Call, write } from "../gpu/call.ts";
import { run } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import { chw, count, type Node, type Shape, show } from "./op.ts";

/** A shape with 1s in front, of `rank` dimensions. */
const ranked = (shape: Shape, rank: number): Shape => [...Array(rank - shape.length).fill(1), ...shape];

/** The shape that both stretch to: dimensions are paired from the last; one that is 1 or lacking follows the other. */
export function stretched(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [ranked(a, rank), ranked(b, rank)];
  if (left.some((n, d) => n !== right[d] && n !== 1 && right[d] !== 1)) {
    throw new UserError(`inputs of ${show(a)} and ${show(b)}, expected dimensions that are equal or 1`);
  }
  return left.map((n, d) => Math.max(n, right[d]));
}

/**
 * Calls that write the gradient to a stretched input: `make` writes it in the output's shape, then the dimensions along
 * which the input was repeated are summed.
 */
export function unstretched(
  { name, inputs, shapes }: Node,
  n: number,
  to: Shape,
  dx: Binding,
  make: (label: string, y: Binding) => Call,
): Call[] {
  const label = `${name} gradient ${n}`;
  const own = shapes[n];
  if (show(own) === show(to)) return [make(label, dx)];
  const [c, h, w] = chw(to);
  const whole = run(`${label} whole`, inputs[n].shape[0] * channelBlocks(c) * h * w, inputs[n].storage);
  const sum = reduce(to, ranked(own, to.length), "1.0", own);
  return [
    make(`${label} whole`, write(whole)),
    texelCall(label, { x: whole }, { y: dx }, sum, count(to) / count(own)),
  ];
}
