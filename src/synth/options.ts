/** What a search is asked for: targets and numbers, the defaults, and both made definite. */
import { UserError } from "../formats/user_error.ts";
import type { Device } from "../gpu/device.ts";
import { checkMemory } from "../gpu/tensor.ts";
import type { Choose } from "../net/choose.ts";
import type { Model } from "../net/model.ts";
import type { Replace } from "../net/kernels.ts";
import type { Plan, PlannedMemory } from "../net/plan.ts";
import { hostTensor } from "../net/weights.ts";
import { type Arithmetic, count, type Shape, type WeightStorage } from "../ops/op.ts";
import type { Change } from "./change.ts";
import type { ClimbSettings } from "./climb_data.ts";
import type { Size } from "./images/image.ts";
import type { Joined, Joining } from "./joined.ts";
import type { Loss } from "./losses.ts";
import { type Directions, settleObjective } from "./objective.ts";
import { penaltiesOf } from "./penalties.ts";
import { normals } from "./random.ts";
import type { Rule } from "./rules/table.ts";
import type { Circumstances } from "./setting.ts";
import type { Progress } from "./search.ts";
import { decide, defaultsOf, type Settings } from "./settings.ts";
import { parseTarget, type TargetSum, unitsTarget } from "./target.ts";
import { viewsOf } from "./views.ts";

/** One picture to make. */
export interface Target {
  /** Units of the layer; several are maximised together. */
  units?: readonly number[];
  /** What to climb instead of units, in the language of targets: `fc8:945 - 0.001*variation(data)`. */
  target?: string;
  /** Seed of the starting code, of views and of a film's frames: a whole number of 32 bits. */
  seed: number;
  /** [x, y] in a layer of maps; the centre unless given. */
  xy?: readonly [number, number];
  /** Start here instead of the seed's N(0, 1). */
  code?: Float32Array;
}

/** What to search for, and how. Of an image prior (`prior`) there need be no generator. Settings that nobody says are the classifier's own (`search` in its network.json), or the defaults. */
export interface SearchOptions extends Partial<Settings>, Joining {
  /** Makes pictures of codes; without one, `prior` says what does. */
  generator?: Model;
  /** Has the units. */
  classifier: Model;
  /**
   * Layer or blob of the classifier that units are of: a blob before its last activation in place (`conv5+last`: after it). Unless
   * given its last, or what the softmax at its end is taken of.
   */
  layer?: string;
  /** One picture each; all run as one batch. */
  targets: readonly Target[];
  /**
   * Makes a film of so many frames, of one target, for a classifier that reads sequences. Inputs in `set` and the target's code may then
   * hold values for each frame.
   */
  frames?: number;
  /** So many frames are drawn at a time: as many as memory holds unless given. */
  windowSize?: number;
  /** Told how many frames a window has where all together were too many. */
  onWindow?: (windowSize: number) => void;
  /** At the end of a film, tries the frames in so many random orders, and backwards. */
  shuffles?: number;
  /** Directions for `dot` and `cosine`, by what the target calls them: a number for each of the layer's channels. */
  directions?: Directions;
  /** Clip the code to the generator's bounds, where it has them (true), or to these: the upper one of each value, and then, unless they all are `lowest`, the lower one of each. */
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
  /** Told what GPU memory an iteration will take, piece by piece, before any is; of several octaves of each, with its size. */
  onPlan?: (pieces: readonly PlannedMemory[], size?: Size) => void;
  /** Report at least every so many iterations, for frames: a whole number, as often as the device likes unless given. */
  every?: number;
  /** Told how far the search is, which waits for it; what it answers changes the search from here (see `Change`). */
  onProgress?: (progress: Progress) => void | Change | Promise<void | Change>;
  /** How many milliseconds of searching a lost device costs at most, and a submit; 2000 unless given. */
  saveMs?: number;
  /** Told when the device was lost and the search goes on. */
  onLost?: (loss: Loss) => void;
  /** Ends the search with what there is, and before its first iteration with the signal's reason as an error. */
  signal?: AbortSignal;
}

/** The same with the generator, whatever the prior. */
export type MadeSearch = SearchOptions & { generator: Model };

/** Values of a code: a thirty-second of its texels is a loop of one invocation. */
export const MOST_CODE = 2 ** 22;

/** The defaults that a rule goes with. */
export const searchDefaults = (rule: Rule = "paper"): Settings & { bounds: boolean } => ({
  ...defaultsOf({ rule }),
  bounds: true,
});

/**
 * The settings that are used with a classifier: what is said here, else what a method says, else what suits the classifier (of a
 * learned prior, and lengths of steps of the same rule), else the defaults. @throws UserError
 */
export function suitable(
  said: Partial<Settings>,
  { network: { search = {} } }: Pick<Model, "network">,
  method?: Partial<Settings>,
): Settings {
  const { prior, rule } = decide(said, method);
  const { lrStart: _, lrEnd: __, ...others } = search;
  if (prior !== "learned") return decide(said, method);
  const spoken = said.rule ?? method?.rule;
  const sameRule = spoken === undefined || rule === (search.rule ?? defaultsOf().rule);
  return decide(said, method, sameRule ? search : others);
}

/** What a target asks for, as a sum of terms. @throws UserError */
export function sumOf({ target, units = [], xy }: Target, layer: string | undefined, gamma: number): TargetSum {
  if (target !== undefined) return parseTarget(target);
  if (units.length === 0) throw new UserError("a target has no unit");
  return unitsTarget({ layer, units, at: xy, gamma });
}

/** Options with every default filled in and every target placed. @throws UserError when something does not fit, GpuError where memory does not do. */
export function settle(device: Device, joined: Joined, options: MadeSearch): ClimbSettings {
  const { targets, generator, classifier, layer, directions } = options;
  const { shape } = joined.code;
  const size = count(shape);
  const decided = suitable(options, classifier);
  if (targets.length === 0) throw new UserError("no target to search for");
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
    codes.set(code ?? normals(seed, size).map((value) => decided.noise * value), n * size);
  });
  const sums = targets.map((target) => sumOf(target, layer, decided.gamma));
  const penalties = joined.levels ? penaltiesOf(decided, count(joined.levels.shape)) : [];
  return {
    ...decided,
    windowSize: options.frames === undefined
      ? undefined
      : Math.min(options.windowSize ?? options.frames, options.frames),
    codes,
    bound: boundsOf(options, decided, generator, size),
    objective: settleObjective(joined, sums, directions, penalties),
    views: joined.view && viewsOf(decided, targets.map(({ seed }) => seed)),
  };
}

/** @throws UserError where something is to be done to a code's pixels that has none. */
export function checkMaps(
  { prior, blur, smallNorm, smallContribution }: Settings,
  shape: Shape,
  { name }: Model,
): void {
  if (blur > 0 && shape.length !== 3) {
    throw new UserError(`blur is of codes that are maps, such as pixels; the code of ${name} is [${shape.join(", ")}]`);
  }
  if ((smallNorm > 0 || smallContribution > 0) && prior !== "pixels") {
    throw new UserError(`--small-norm and --small-contribution are of pixels; the code of ${name} has none`);
  }
}

/** The bounds that a code is clipped to: the upper ones, and the lower ones after them where each value has its own. @throws UserError */
function boundsOf(
  { bounds = true }: SearchOptions,
  { clip, lowest, sigmas }: Settings,
  generator: Model,
  size: number,
): Float32Array | undefined {
  const own = bounds === true ? codeBounds(generator, size, sigmas) : bounds || undefined;
  if (!own || clip === "none") return undefined;
  const both = own.length === 2 * size;
  const least = (n: number) => both ? own[size + n] : lowest;
  if (own.length !== size && !both || !own.every((bound, n) => n < size ? bound >= least(n) : Number.isFinite(bound))) {
    throw new UserError(
      `expected ${size} bounds of at least ${both ? "the lower ones" : lowest} for the code of ${generator.name}`,
    );
  }
  return own;
}

/** On which sides a generator bounds its code. */
export function boundsOn({ network: { code }, weights }: Model): Circumstances["bounds"] {
  if (weights.has("code.upper") || code?.signed && weights.has("code.mean")) return "both";
  return code && weights.has("code.mean") ? "upper" : "none";
}

/**
 * The code's own bounds: mean + sigmas · std of each value where the generator has them, of codes with a sign mean − sigmas · std
 * too; with its own sigmas where there are none given. @throws UserError where some are, and it has no deviations.
 */
export function codeBounds(model: Model, size: number, given = 0): Float32Array | undefined {
  const { name, network: { code }, weights, where } = model;
  const values = (name: string) => hostTensor({ weights, where }, name, weights.get(name)!.shape).values;
  const at = (factor: number) => {
    const [mean, std] = ["code.mean", "code.std"].map((name) => hostTensor({ weights, where }, name, [size]).values);
    return mean.map((m, j) => m + factor * std[j]);
  };
  const joint = (upper: Float32Array, lower: Float32Array) =>
    Float32Array.from({ length: 2 * size }, (_, n) => n < size ? upper[n] : lower[n - size]);
  if (given > 0 && !(code && weights.has("code.std"))) {
    throw new UserError(
      `--sigmas is of codes whose mean and deviation are known; ${name} has none, --bounds gives some`,
    );
  }
  if (weights.has("code.upper")) return joint(values("code.upper"), values("code.lower"));
  if (boundsOn(model) === "none") return undefined;
  const sigmas = given || code!.sigmas;
  return code!.signed ? joint(at(sigmas), at(-sigmas)) : at(sigmas);
}
