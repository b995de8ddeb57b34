/** The data gradient where dy is zero but at a few spots (../spots.ts): only their weights are read. */
import { convSpots, spotsInvocations } from "../../../shaders/conv/spots.ts";
import { read } from "../../gpu/call.ts";
import { convFlops } from "./flops.ts";
import { labelOf } from "./register_tiles.ts";
import { spotsCost } from "./costs.ts";
import type { ConvWay } from "./way.ts";
import { channelBlocks } from "../../../shaders/texels.ts";

/** Spots that an invocation may visit, each with loops of its own over as many in the worst case. */
const MOST_SPOTS = 4096;

/** Each texel of dx visits the spots. */
export const spots: ConvWay = {
  name: "spots",
  applies: ({ direction, spots }) => direction === "transposed" && spots !== undefined && spots.count <= MOST_SPOTS,
  sizes: () => [{}],
  cost: (task) => spotsCost(task, spotsInvocations(task.geometry), task.spots!.count),
  calls({ name, geometry, direction, spots, weights: { weight, scale }, y }) {
    const { count, bindings, code } = spots!;
    const invocations = spotsInvocations(geometry);
    // Each spot reads the blocks of its output, in the worst case one of its own.
    const touched = Math.min(
      weight.texels,
      count * geometry.batch * weight.texels / channelBlocks(geometry.channelsOut),
    );
    return [{
      label: `${labelOf(name, direction)} at spots`,
      bindings: { ...bindings, w: { ...read(weight), touched }, ...(scale ? { scale: read(scale) } : {}), dx: y },
      code: convSpots({ geometry, format: weight.format, count, code }),
      invocations,
      flops: convFlops(geometry),
      multiplyAdds: 16 * count * invocations,
    }];
  },
};
