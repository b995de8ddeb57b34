/**
 * matmul: y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n] of two inputs, the leading dimensions stretched as NumPy's are.
 * da = dy · bᵀ, db = aᵀ · dy. Products with weights are fc or conv2d, which are far faster.
 */
import { matrixProduct, MOST_TERMS } from "../../shaders/items.ts";
import { UserError } from "../formats/user_error.ts";
import { stretched, unstretched } from "./broadcast.ts";
import { texelCall } from "./calls.ts";
import { type Op, type Shape, show } from "./op.ts";
import { readsAll } from "./reach.ts";
import { elements } from "./way.ts";

/** m, k, n and the leading dimensions. */
function geometry([a, b]: readonly Shape[]) {
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) {
    throw new UserError(`inputs of ${show(a)} and ${show(b)}, expected […, m, k] and […, k, n]`);
  }
  const k = a.at(-1)!;
  const m = a.at(-2)!;
  const n = b.at(-1)!;
  if (Math.max(m, k, n) > MOST_TERMS) {
    throw new UserError(`sums of ${Math.max(m, k, n)} products, expected at most ${MOST_TERMS}`);
  }
  return { m, k, n, lead: stretched(a.slice(0, -2), b.slice(0, -2)) };
}

/** The layer type `matmul`. */
export const matmul: Op<null> = {
  inputs: 2,
  parse: () => null,
  outputShape(inputs) {
    const { m, n, lead } = geometry(inputs);
    return [...lead, m, n];
  },
  reads: readsAll,
  forward: [elements(({ name, inputs: [a, b], shapes }, y) => {
    const { m, k, n, lead } = geometry(shapes);
    const plain = shapes.map((dims) => ({ dims, transposed: false }));
    return [texelCall(name, { a, b }, { y }, matrixProduct(plain[0], plain[1], [...lead, m, n], k), 2 * k)];
  })],
  backward: [elements((node, dy, dx) => {
    const { inputs: [a, b], shapes } = node;
    const { m, k, n, lead } = geometry(shapes);
    const to = [...lead, m, n];
    const [left, right] = shapes;
    const slope = { dims: to, transposed: false };
    return dx.flatMap((binding, input) => {
      if (!binding) return [];
      const whole = input === 0 ? [...lead, m, k] : [...lead, k, n];
      const depth = input === 0 ? n : m;
      return unstretched(node, input, whole, binding, (label, y) => {
        const [tensors, code] = input === 0
          ? [{ a: dy, b }, matrixProduct(slope, { dims: right, transposed: true }, whole, depth)]
          : [{ a, b: dy }, matrixProduct({ dims: left, transposed: true }, slope, whole, depth)];
        return texelCall(label, tensors, { y }, code, 2 * depth);
      });
    });
  })],
};
