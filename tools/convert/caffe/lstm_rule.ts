/**
 * LSTM. Caffe's blobs are time × streams × features: time is the first axis, which is the batch here. So a batch is one
 * clip, and an item is one step of [streams, features]. LRCN makes such blobs of a batch of frames by a Reshape, in
 * which the streams take turns in the batch; see `reshape`.
 *
 * The second bottom marks continued sequences, time × streams. Where a network leaves it out, every batch begins a
 * sequence and continues it to its end. The gates lie in the order i, f, o, g there and here.
 */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { type Rule, unless } from "./rule.ts";
import { outputs } from "./trained_rules.ts";

/** LSTM over the batch. */
export const lstm: Rule = {
  settings: "recurrent_param",
  streams: true,
  bottoms: [1, Infinity],
  convert(layer) {
    const { s, streams, xs: [x, ...others] } = layer;
    const [first, ...rest] = x.item;
    s.ignore("weight_filler", "bias_filler", "debug_info");
    if (s.boolean("expose_hidden", false)) {
      throw new UserError('"expose_hidden" is not supported: the state begins at zero');
    }
    if (others.length > 1) {
      throw new UserError(
        `it has ${layer.xs.length} bottoms; a static input is not supported, only x and the continuation marker`,
      );
    }
    const steps = rest.length === 1 ? x : layer.add("reshape", { shape: [first, valueCount(rest)] }, [x]);
    return layer.trained("lstm", { hidden: outputs(s), streams: unless(streams, 1) }, {
      inputs: [steps, ...others],
      blobs: 3,
      weights: ([inputWeight, bias, recurrentWeight]) => ({ inputWeight, recurrentWeight, bias }),
    });
  },
};
