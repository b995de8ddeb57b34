/**
 * A way of one's own: the gradient of a maximum over 3 × 3 pixels, two apart, for four pixels at a time. An example for
 * `--ways`; docs/kernels.md tells how it came to be.
 */
import { type Binding, type Call, type OwnWays, read, type Task } from "../src/mod.ts";

/** The parameters of a maxpool layer that this has to know. */
interface Pool {
  kernel?: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
}

/** Windows of 3 × 3, two pixels apart, on a map of twice as many rows and columns. */
function applies({ params: { kernel, stride, padding, dilation }, inputs: [{ shape }], output }: Task<Pool>): boolean {
  const doubled = shape[2] === 2 * output.shape[2] && shape[3] === 2 * output.shape[3];
  return `${kernel}, ${stride}, ${dilation}` === "3,3, 2,2, 1,1" && padding.every((n) => n === 0) && doubled;
}

/** One invocation for four pixels of dx: its own window, and those to the left and above. */
const kernel = (height: number, width: number) => `
fn part(at: u32, place: f32) -> vec4f {
  return select(vec4f(), load_dy(at), load_argmax(at) == vec4f(place));
}
fn kernel(i: u32) {
  let map = i / ${height * width}u;
  let y = i / ${width}u % ${height}u;
  let x = i % ${width}u;
  var dx = array<vec4f, 4>(part(i, 0.0), part(i, 1.0), part(i, 3.0), part(i, 4.0));
  if (x > 0u) {
    dx[0] += part(i - 1u, 2.0);
    dx[2] += part(i - 1u, 5.0);
  }
  if (y > 0u) {
    dx[0] += part(i - ${width}u, 6.0);
    dx[1] += part(i - ${width}u, 7.0);
  }
  if (x > 0u && y > 0u) {
    dx[0] += part(i - ${width + 1}u, 8.0);
  }
  let first = (map * ${2 * height}u + 2u * y) * ${2 * width}u + 2u * x;
  store_dx(first, dx[0]);
  store_dx(first + 1u, dx[1]);
  store_dx(first + ${2 * width}u, dx[2]);
  store_dx(first + ${2 * width + 1}u, dx[3]);
}`;

export const ways: OwnWays = {
  maxpool: {
    backward: [{
      name: "blocks",
      applies,
      calls({ name, output, saved }, dy, [dx]: readonly (Binding | undefined)[]): Call[] {
        if (!dx) return [];
        const [, , height, width] = output.shape;
        return [{
          label: `${name} gradient`,
          bindings: { dy: read(dy), argmax: read(saved!.argmax), dx },
          code: kernel(height, width),
          invocations: output.texels,
          flops: 36 * output.texels,
        }];
      },
    }],
  },
};
