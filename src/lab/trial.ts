/**
 * A plan's kernels tried out in their places: on the plan's own tensors, which are filled with random numbers, so that what
 * is tried is what will run. Before each run, what the kernels are to write is filled with a number that none makes.
 */
import { compile, type Step } from "../gpu/compile.ts";
import type { Binding, Call } from "../gpu/call.ts";
import type { Device } from "../gpu/device.ts";
import { fromTexels, readTexels, toTexels, writeMap } from "../gpu/map.ts";
import { download, type Shape4, type Tensor, upload } from "../gpu/tensor.ts";
import { submitSteps } from "../gpu/timing.ts";
import type { PlannedLayer } from "../net/backward.ts";
import type { PlannedKernel } from "../net/kernels.ts";
import type { Plan } from "../net/plan.ts";
import { count, type Shape } from "../ops/op.ts";
import { UserError } from "../formats/user_error.ts";
import { NOT_WRITTEN } from "../tune/alone.ts";
import { compare } from "./compare.ts";
import { numbersOf } from "./numbers.ts";
import { type LayerValues, referenceOf } from "./reference.ts";

/** How far values are off at most, over the largest magnitude: those of the plan's kernels, and of ours alone. */
export interface Deviation {
  off: number;
  oursOff: number;
}

/** Items of a batch that are compared with float64, which takes its time. */
const MOST_ITEMS = 3;

/** A plan with kernels that are not ours, and ours beside them. */
export class Trial {
  private constructor(
    private readonly device: Device,
    private readonly plan: Plan,
    /** The plan's steps, with our kernels alone. */
    readonly ours: readonly Step[],
  ) {}

  /** Compiles our kernels where the plan has others. */
  static async create(device: Device, plan: Plan): Promise<Trial> {
    const ours: Step[] = [];
    for (const step of plan.steps) {
      ours.push(step.call.own ? await compile(device, { ...step.call, own: undefined }) : step);
    }
    await device.settle();
    return new Trial(device, plan, ours);
  }

  /** Whether a kernel's layer can be compared with float64: its tensors are all the plan's. */
  knows({ layer, pass }: PlannedKernel): boolean {
    return layer !== undefined && (pass === "forward" || layer.ends?.dy.memory !== undefined);
  }

  /**
   * Runs a layer on random numbers, and compares its output and its gradients with float64.
   * @throws UserError that says where they differ.
   */
  async layer(layer: PlannedLayer, kind: number, seed: number): Promise<Deviation> {
    const { node, ends, layer: { output, shapes } } = layer;
    const dyThere = ends?.dy.memory !== undefined;
    const inputs = this.#inputs(layer, kind, seed);
    const dy = dyThere ? numbersOf(kind, seed + inputs.length, count(node.output.shape)) : undefined;
    const values = { inputs, dy };
    const actual = await this.#run(layer, this.plan.steps, values);
    const ours = this.#hasOurs(layer) ? await this.#run(layer, this.ours, values) : undefined;
    const items = itemsOf(layer, node.output.shape[0], seed);
    const reference = referenceOf(
      layer,
      { inputs: inputs.map((x) => pick(x, items)), dy: dy && pick(dy, items) },
      items.picked.length,
    );
    const compared = (what: string, shape: Shape, { shape: all }: Tensor, expected: Float64Array, ...made: Texels) => {
      const [actual, ours] = made.map((texels) => texels && pick(fromTexels(texels, all), items));
      checkSpare(what, all, ...made);
      return compare({ what, shape, expected, actual: actual!, ours });
    };
    return worst([
      compared("its output", output.shape, node.output, reference.y, actual.y, ours?.y),
      ...reference.dx.flatMap((expected, n) => {
        const binding = ends?.dx[n];
        if (!expected || !binding || !dyThere) return [];
        const what = `the gradient to its input${shapes.length > 1 ? ` ${n + 1}` : ""}`;
        return [compared(what, shapes[n], binding.tensor, expected, actual.dx[n]!, ours?.dx[n])];
      }),
    ]);
  }

  /**
   * Runs a kernel that no layer's float64 speaks for, such as the search's own, and compares what it writes with what ours
   * does. What other kernels make is random, what the plan is given stays as it is.
   */
  async kernel(kernel: PlannedKernel, kind: number, seed: number): Promise<Deviation> {
    const { device, plan } = this;
    const at = plan.kernels.indexOf(kernel);
    const written = writtenBy(kernel.call);
    const updated = tensorsOf(kernel.call, "update");
    const made = writtenBy(...plan.kernels.map(({ call }) => call));
    const kept = new Map<Tensor, Uint8Array>();
    for (const tensor of updated) kept.set(tensor, await download(device, tensor));
    const reads = [...tensorsOf(kernel.call, "read")].filter((tensor) => made.has(tensor) && tensor.format === "f32");
    const run = async (step: Step): Promise<Map<Tensor, Float32Array>> => {
      for (const tensor of written) this.#fill(tensor);
      reads.forEach((tensor, n) => {
        writeMap(device, tensor, numbersOf(kind, seed + n, count(tensor.shape)));
      });
      for (const [tensor, texels] of kept) upload(device, tensor, texels);
      submitSteps(device, [step], 1);
      const values = new Map<Tensor, Float32Array>();
      for (const tensor of [...written, ...updated]) values.set(tensor, await readTexels(device, tensor));
      return values;
    };
    const ours = await run(this.ours[at]);
    const actual = await run(plan.steps[at]);
    for (const [tensor, texels] of kept) upload(device, tensor, texels);
    return worst(
      [...ours].map(([tensor, expected]) =>
        compare({ what: tensor.label, shape: [tensor.texels, 4], expected, actual: actual.get(tensor)! })
      ),
    );
  }

  /** Whether our kernels compute a layer too: not where it goes a way of the user's own. */
  #hasOurs({ ways: { forward, backward } }: PlannedLayer): boolean {
    return forward.way.file === undefined && backward?.way.file === undefined;
  }

  /** Random values for a layer's inputs; the same tensor twice has the same. */
  #inputs({ node: { inputs } }: PlannedLayer, kind: number, seed: number): Float32Array<ArrayBuffer>[] {
    const values = new Map<Tensor, Float32Array<ArrayBuffer>>();
    return inputs.map((tensor, n) => {
      const own = values.get(tensor) ?? numbersOf(kind, seed + n, count(tensor.shape));
      values.set(tensor, own);
      return own;
    });
  }

  /** Runs a layer's steps forward, and back where dy is given. The texels of what they make. */
  async #run(layer: PlannedLayer, steps: readonly Step[], { inputs, dy }: LayerValues): Promise<Made> {
    const { device, plan } = this;
    const { node, ends } = layer;
    const stepsOf = (...passes: PlannedKernel["pass"][]) =>
      steps.filter((_, n) => plan.kernels[n].layer === layer && passes.includes(plan.kernels[n].pass));
    const both = stepsOf("forward", "backward").map(({ call }) => call);
    // First all that will be written, then what is read: within a layer too, tensors take turns in one memory.
    for (const tensor of writtenBy(...both)) this.#fill(tensor);
    node.inputs.forEach((tensor, n) => this.#set(tensor, inputs[n]));
    submitSteps(device, stepsOf("forward"), 1);
    const y = await readTexels(device, node.output);
    if (!dy || !ends) return { y, dx: [] };
    this.#set(ends.dy, dy);
    submitSteps(device, stepsOf("backward"), 1);
    const dx: Made["dx"] = [];
    for (const binding of ends.dx) dx.push(binding && await readTexels(device, binding.tensor));
    return { y, dx };
  }

  #fill(tensor: Tensor): void {
    upload(this.device, tensor, new Float32Array(4 * tensor.texels).fill(NOT_WRITTEN));
  }

  #set(tensor: Tensor, values: Float32Array): void {
    writeMap(this.device, tensor, values);
  }
}

/** Texels of a layer's output, and of the gradients that the plan wants. */
interface Made {
  y: Float32Array;
  dx: (Float32Array | undefined)[];
}

/** Texels that somebody's kernels make, and those that ours do where there are any. */
type Texels = [actual: Float32Array, ours: Float32Array | undefined];

/** Which items of a batch are compared. */
interface Items {
  batch: number;
  picked: readonly number[];
}

/** All items of a sequence in time; of others the first, the last and one between. */
function itemsOf({ layer: { op, params } }: PlannedLayer, batch: number, seed: number): Items {
  const all = Array.from({ length: batch }, (_, n) => n);
  if (batch <= MOST_ITEMS || op.isSequence?.(params)) return { batch, picked: all };
  return { batch, picked: [0, 1 + seed % (batch - 2), batch - 1] };
}

/** The values of picked items. */
function pick(values: Float32Array<ArrayBuffer>, { batch, picked }: Items): Float32Array<ArrayBuffer> {
  const size = values.length / batch;
  const result = new Float32Array(picked.length * size);
  picked.forEach((item, n) => result.set(values.subarray(item * size, (item + 1) * size), n * size));
  return result;
}

/** @throws UserError where the channels that pad the last texels are no numbers: the next layer multiplies them by zero. */
function checkSpare(what: string, shape: Shape4, ...[actual, ours]: Texels): void {
  const used = toTexels(new Uint8Array(count(shape)).fill(1), shape);
  const sound = (n: number) => !ours || Number.isFinite(ours[n]);
  const wrong = actual.findIndex((value, n) => used[n] === 0 && !Number.isFinite(value) && sound(n));
  if (wrong < 0) return;
  throw new UserError(`${what} has ${actual[wrong]} in a channel that pads texel ${wrong >> 2}; zero belongs there`);
}

const worst = (all: readonly Deviation[]): Deviation => ({
  off: Math.max(...all.map(({ off }) => off)),
  oursOff: Math.max(...all.map(({ oursOff }) => oursOff)),
});

/** The tensors that calls write and do not read. */
const writtenBy = (...calls: readonly Call[]): Set<Tensor> =>
  new Set(calls.flatMap((call) => [...tensorsOf(call, "write")]));

/** The tensors that a call binds so; those that mask what it stores are read. */
function tensorsOf({ bindings }: Call, access: Binding["access"]): Set<Tensor> {
  const all = Object.values(bindings);
  const bound = all.filter((one) => one.access === access).map(({ tensor }) => tensor);
  return new Set(
    access === "read" ? [...bound, ...all.flatMap(({ epilogue }) => epilogue?.mask?.tensor ?? [])] : bound,
  );
}
