/** Resize and Upsample: along each axis a sum of a few positions for each, which does not depend on values. */
import { UserError } from "../../../src/formats/user_error.ts";
import { type Resizing, type Term, termsOf } from "./interpolation.ts";
import type { Operator, Rule } from "./operator.ts";
import { positioned } from "./positions.ts";
import type { OnnxTensor } from "./tensor.ts";
import type { Traced } from "./trace.ts";

/** An axis of the model that is resized. */
interface Axis extends Resizing {
  axis: number;
}

/** How all axes are. */
type Manner = Omit<Resizing, "from" | "to" | "scale" | "region">;

/** Values of an input, where it is there and not empty. */
function given(o: Operator, n: number, what: string): number[] | undefined {
  const known: OnnxTensor | undefined = o.known(n, what);
  return known && known.values.length > 0 ? Array.from(known.values) : undefined;
}

/** An axis, its lengths before and after, and their ratio as the model gives it. */
type Length = Pick<Axis, "axis" | "from" | "to" | "scale">;

/** What the scales or the sizes make of the axes. */
function lengthsOf(o: Operator, scales: number[] | undefined, sizes: number[] | undefined): Length[] {
  const shape = o.shape(0);
  const axes = o.numbers("axes")?.map((axis) => o.axis(axis, shape.length)) ?? shape.map((_, d) => d);
  if ((scales === undefined) === (sizes === undefined)) throw new UserError("it has to have either scales or sizes");
  const asked = (scales ?? sizes)!;
  if (asked.length !== axes.length || !asked.every((n) => n > 0 && Number.isFinite(n))) {
    throw new UserError(`its ${scales ? "scales" : "sizes"} are [${asked.slice(0, 8)}] for [${shape}]`);
  }
  const policy = o.text("keep_aspect_ratio_policy", "stretch");
  const ratios = axes.map((axis, n) => asked[n] / shape[axis]);
  if (!["stretch", "not_larger", "not_smaller"].includes(policy)) {
    throw new UserError(`its keep_aspect_ratio_policy is ${JSON.stringify(policy.slice(0, 40))}`);
  }
  const common = (policy === "not_larger" ? Math.min : Math.max)(...ratios);
  return axes.map((axis, n) => {
    const from = shape[axis];
    if (scales) return { axis, from, scale: scales[n], to: Math.floor(Math.fround(scales[n] * from)) };
    if (policy === "stretch") return { axis, from, scale: ratios[n], to: asked[n] };
    return { axis, from, scale: common, to: Math.floor(common * from + 0.5) };
  });
}

/** Positions of an axis past which nobody resizes it. */
const MOST_LENGTH = 2 ** 16;

/** @throws UserError where an axis would have no positions, or too many. */
function checkLengths(o: Operator, axes: readonly Axis[]): void {
  const shape = o.shape(0);
  const to = axes.reduce((to, { axis, to: own }) => to.with(axis, own), [...shape]);
  const long = axes.some(({ from, to }) => Math.max(from, to) > MOST_LENGTH);
  if (long || !to.every((n) => Number.isInteger(n) && n > 0)) throw new UserError(`it resizes [${shape}] to [${to}]`);
}

/** Whether the layer type `resize` does the same to an axis. */
const isUsual = ({ from, to, scale, mode, coordinates, cubic, antialias, excludeOutside }: Axis): boolean =>
  mode !== "nearest" && Math.abs(scale * from - to) < 1e-6 * to &&
  (mode === "linear" || cubic === -0.75 && !excludeOutside) &&
  (coordinates === "half_pixel" || coordinates === "pytorch_half_pixel" && to > 1) && (!antialias || scale >= 1);

/**
 * The first input with its axes resized.
 * @param region Where the region of tf_crop_and_resize begins on each axis, and then where it ends.
 * @param outside What positions show that have no terms.
 */
function resized(o: Operator, lengths: Length[], manner: Manner, region: readonly number[] = [], outside = 0): Traced {
  const { trace } = o;
  const x = o.computed(0);
  const ends = region.slice(lengths.length);
  const axes = lengths.map((own, n): Axis => ({ ...manner, ...own, region: [region[n] ?? 0, ends[n] ?? 1] }))
    .filter(mayChange);
  checkLengths(o, axes);
  const moved = axes.map((own) => ({ ...own, terms: termsOf(own) }))
    .filter(({ from, to, terms }) => from !== to || !terms.every(isItself))
    .map((own) => ({ ...own, axis: trace.itemAxis(own.axis) }));
  if (x.item.length === 3 && moved.length > 0 && moved.every((own) => own.axis > 0 && isUsual(own))) {
    const size = [1, 2].map((d) => moved.find(({ axis }) => axis === d)?.to ?? x.item[d]);
    return trace.add("resize", { size, method: manner.mode === "linear" ? "bilinear" : "bicubic" }, [x]);
  }
  const shifts = outside !== 0 && moved.some(({ terms }) => terms.some(({ length }) => length === 0));
  const from = shifts ? trace.affine(x, 1, [-outside]) : x;
  const y = moved.reduce((y, { axis, terms }) => positioned(trace, y, axis, terms), from);
  return shifts ? trace.affine(y, 1, [outside]) : y;
}

/** Whether a position shows the one of its number. */
const isItself = (terms: readonly Term[], at: number): boolean =>
  terms.length === 1 && terms[0][0] === at && terms[0][1] === 1;

/** Whether an axis may change at all: a long one that does not is no reason to refuse. */
const mayChange = ({ from, to, scale, coordinates }: Axis): boolean =>
  from !== to || scale !== 1 || coordinates.startsWith("tf_");

/**
 * Programs whose align_corners ends on the last pixel whatever the scale, as the frameworks do that they write models of. ONNX's text says
 * so too, but what its reference implementation computes ends there by sizes alone; a scale that leaves a fraction ends beyond.
 */
const wholePositions = new Set(["pytorch", "tf2onnx", "keras2onnx"]);

/**
 * Where positions lie before version 11, whose operators do not say. PyTorch wrote its own interpolation as these all the same, that with
 * half pixels (it refused align_corners): its models mean that.
 */
function unsaid(o: Operator, mode: string): Pick<Manner, "coordinates" | "nearest"> {
  if (o.model.producer !== "pytorch") return { coordinates: "asymmetric", nearest: "simple" };
  return { coordinates: mode === "nearest" ? "asymmetric" : "half_pixel", nearest: "floor" };
}

const resize: Rule = (o) => {
  const old = o.opset < 11;
  const mode = o.text("mode", "nearest");
  const usual = old ? unsaid(o, mode) : { coordinates: "half_pixel", nearest: "round_prefer_floor" };
  const [scalesAt, regionAt] = old ? [1, -1] : [2, 1];
  const scales = given(o, scalesAt, "the scales");
  const sizes = old ? undefined : given(o, 3, "the sizes");
  const coordinates = o.text("coordinate_transformation_mode", usual.coordinates);
  const lengths = lengthsOf(o, scales, sizes);
  const region = coordinates === "tf_crop_and_resize" ? given(o, regionAt, "the region") : undefined;
  if (
    coordinates === "tf_crop_and_resize" && !(region?.length === 2 * lengths.length && region.every(Number.isFinite))
  ) {
    throw new UserError(`its region is [${region?.slice(0, 8) ?? ""}], expected ${2 * lengths.length} numbers`);
  }
  const manner: Manner = {
    mode,
    coordinates,
    whole: wholePositions.has(o.model.producer),
    nearest: o.text("nearest_mode", usual.nearest),
    cubic: o.number("cubic_coeff_a", -0.75),
    antialias: o.number("antialias", 0) !== 0,
    excludeOutside: o.number("exclude_outside", 0) !== 0,
  };
  return [resized(o, lengths, manner, region, o.number("extrapolation_value", 0))];
};

/** Resize as it was before version 11, with its scales among the attributes before version 9. */
const upsample: Rule = (o) => {
  const scales = o.numbers("scales") ?? given(o, 1, "the scales");
  const mode = o.text("mode", "nearest");
  return [resized(o, lengthsOf(o, scales, undefined), {
    ...unsaid(o, mode),
    mode: mode === "bilinear" ? "linear" : mode,
    whole: true,
    cubic: 0,
    antialias: false,
    excludeOutside: false,
  })];
};

/** Operators by their type. */
export const resizeRules: Record<string, Rule> = { Resize: resize, Upsample: upsample };
