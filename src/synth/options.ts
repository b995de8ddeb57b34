/** What a search is asked for: targets and numbers, the defaults, and both made definite. */
import { UserError } from "../formats/user_error.ts";
import type { Device } from "../gpu/device.ts";
import { checkMemory } from "../gpu/tensor.ts";
import type { Choose } from "../net/choose.ts";
import type { Model } from "../net/model.ts";
import { unitIndex } from "../net/net.ts";
import type { Replace } from "../net/kernels.ts";
import type { Plan, PlannedMemory } from "../net/plan.ts";
import { hostTensor } from "../net/weights.ts";
import { type Arithmetic, chw, count, type WeightStorage } from "../ops/op.ts";
import type { Rule } from "../../shaders/search.ts";
import type { ClimbSettings } from "./climb.ts";
import type { Joined } from "./joined.ts";
import { checkSettings } from "./limits.ts";
import { normals } from "./random.ts";
import type { Progress } from "./search.ts";

/** One picture to make. */
export interface Target {
  /** Units of the layer; several are maximised together. */
  units: readonly number[];
  /** Seed of the starting code. */
  seed: number;
  /** [x, y] in a layer of maps; the centre unless given. */
  xy?: readonly [number, number];
  /** Start here instead of the seed's N(0, 1). */
  code?: Float32Array;
}

/** What to search for, and how. */
export interface SearchOptions {
  generator: Model;
  classifier: Model;
  /** Layer or blob of the classifier; unless given its last, or what the softmax at its end is taken of. */
  layer?: string;
  targets: readonly Target[];
  /** 200 unless given. */
  iterations?: number;
  /** `paper` (gradient over its mean magnitude) or `adam`. */
  rule?: Rule;
  /** First and last learning rate; 8 and 1e-10 for `paper`, 0.5 and 1e-10 for `adam`. */
  lrStart?: number;
  lrEnd?: number;
  /** The code's factor after each step; 0.99. */
  decay?: number;
  /** Weight of Σ_{k<l} (a_k − a_l)², which keeps one of several units from dominating; 0. */
  gamma?: number;
  /** Clip the code to the generator's bounds, where it has them (true), or to these, one for each value. */
  bounds?: boolean | Float32Array;
  /** How weights are stored on the GPU; as in the files unless given. */
  weights?: WeightStorage;
  /** What sums of products are computed in, forward (see `NetOptions`); f32 unless given. */
  arithmetic?: Arithmetic;
  /** Chooses each layer's ways; the predicted cost does unless given. */
  choose?: Choose;
  /** Puts somebody's own programs in the place of kernels. */
  replace?: Replace;
  /** Told that an iteration's plan stands, before it runs. Whatever its tensors hold then is overwritten. */
  onReady?: (plan: Plan) => Promise<void>;
  /** Told what GPU memory an iteration will take, piece by piece, before any is. */
  onPlan?: (pieces: readonly PlannedMemory[]) => void;
  /** Report at least every so many iterations, for frames. */
  every?: number;
  onProgress?: (progress: Progress) => void | Promise<void>;
  /** Ends the search with what there is, and before its first iteration with the signal's reason as an error. */
  signal?: AbortSignal;
}

/** Values of a code: a thirty-second of its texels is a loop of one invocation. */
const MOST_CODE = 2 ** 22;

/** The defaults that a rule goes with. */
export const searchDefaults = (rule: Rule = "paper") => ({
  iterations: 200,
  rule,
  lrStart: rule === "paper" ? 8 : 0.5,
  lrEnd: 1e-10,
  decay: 0.99,
  gamma: 0,
  bounds: true,
});

/** Options with every default filled in and every target placed. @throws UserError when something does not fit, GpuError where memory does not do. */
export function settle(device: Device, joined: Joined, options: SearchOptions): ClimbSettings {
  const { targets, generator } = options, size = count(joined.code.shape);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings = { ...searchDefaults(options.rule), ...Object.fromEntries(given) } as
    & Omit<ReturnType<typeof searchDefaults>, "bounds">
    & { bounds: boolean | Float32Array };
  if (targets.length === 0) throw new UserError("no target to search for");
  checkSettings(settings);
  const { bounds } = settings;
  if (
    typeof bounds !== "boolean" && (bounds.length !== size || !bounds.every((bound) => bound >= 0))
  ) {
    throw new UserError(`expected ${size} bounds of at least 0 for the code of ${generator.name}`);
  }
  if (size > MOST_CODE) {
    throw new UserError(`the code of ${generator.name} has ${size} values, expected at most ${MOST_CODE}`);
  }
  // At least code, input and gradient on the device, and each of them here as values; drawing them may take a minute.
  checkMemory(device, "the codes", 2 * 3 * 4 * targets.length * size);
  const codes = new Float32Array(targets.length * size);
  targets.forEach(({ code, seed }, n) => {
    if (code && code.length !== size) {
      throw new UserError(`the starting code has ${code.length} values, ${generator.name} takes ${size}`);
    }
    if (code && !code.every(Number.isFinite)) throw new UserError("the starting code holds NaN or infinity");
    codes.set(code ?? normals(seed, size), n * size);
  });
  const [, h, w] = chw(joined.layer.shape);
  return {
    ...settings,
    codes,
    bound: settings.bounds === true ? codeBound(generator, size) : settings.bounds || undefined,
    targets: targets.map(({ units, xy }) => {
      if (units.length === 0) throw new UserError("a target has no unit");
      return units.map((unit) => {
        const at = unitIndex(joined.layer, unit, xy);
        return [unit, Math.floor(at / w) % h, at % w] as const;
      });
    }),
  };
}

/** mean + sigmas · std of each code value, where the generator has them. */
function codeBound({ network: { code }, weights, where }: Model, size: number): Float32Array | undefined {
  if (!code || !weights.has("code.mean")) return undefined;
  const mean = hostTensor({ weights, where }, "code.mean", [size]).values;
  const std = hostTensor({ weights, where }, "code.std", [size]).values;
  return mean.map((m, j) => m + code.sigmas * std[j]);
}
