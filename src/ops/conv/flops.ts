/** What a convolution asks for, whatever way it goes. */
import type { ConvGeometry } from "../../../shaders/conv/shape.ts";

/** Multiplications and additions of a convolution, the useful ones. */
export function convFlops(g: ConvGeometry): number {
  return 2 * g.batch * g.outSize[0] * g.outSize[1] * g.channelsOut * (g.channelsIn / g.groups) * g.kernel[0] *
    g.kernel[1];
}
