/** A network ready to run on a device: one plan for a fixed batch, with or without the gradient to its input. */
import type { Device } from "../gpu/device.ts";
import { readMap, readTexels, toTexels, writeMap } from "../gpu/map.ts";
import { run, type Tensor, upload } from "../gpu/tensor.ts";
import { UserError } from "../formats/user_error.ts";
import { type Arithmetic, count, unitMap, type WeightStorage } from "../ops/op.ts";
import { listedSpots, listTexels } from "../ops/spots.ts";
import { checkFloats, checkModel, checkNames, checkWhole, type Names, told } from "./asked.ts";
import type { Choose } from "./choose.ts";
import { buildGraph, type Graph, type Value } from "./graph.ts";
import type { Model } from "./model.ts";
import { valueOf } from "./naming.ts";
import { buildPlan, type Plan, type PlanMemory, type PlannedMemory } from "./plan.ts";

/** How a net is built. */
export interface NetOptions {
  /** Items run together; 1 unless given. */
  batch?: number;
  /** Layer or blob whose values come out; the last layer unless given. */
  layer?: string;
  /** In place of `layer`: several, by what targets call them (`conv5` before its last activation in place, `conv5+last` after it). */
  values?: readonly string[];
  /** Also compile the gradient: to the first input, or to the blob of this name. */
  gradient?: boolean | string;
  /** With `gradient`: also compile the gradients to the weights and biases of conv2d, deconv2d and fc. */
  weightGradients?: boolean;
  /** How weights are stored on the GPU; as in the file unless given. */
  weights?: WeightStorage;
  /**
   * Forward, in double-float arithmetic: values are as exact as float32 can say them, and the gradient takes the path at
   * every kink (a ReLU's zero, two values of a maximum) that exact arithmetic would. It takes several times as long, and
   * up to twice the memory. Convolutions, fully connected and affine layers, sums, LRN across channels with β = 3/4, the
   * ReLUs, clipping, maximum pooling, and what only moves values take part; others round their output to float32.
   */
  doubleFloat?: boolean;
  /**
   * What sums of products are computed in, forward: "f16" is for adapters that have shader-f16 and do it faster. Convolutions,
   * fully connected layers and the products with an lstm's inputs then round to 11 bits and are off by 0.1 % of their largest
   * value or so; values past 65504 become infinite or NaN, below 3e-8 they are zero. All else and gradients stay in f32.
   */
  arithmetic?: Arithmetic;
  /** With `gradient`: `dy` has at most so many values of an item that are not zero. Kernels that know this read fewer weights. */
  spots?: number;
  /** Chooses each layer's ways; the predicted cost does unless given. */
  choose?: Choose;
  /** Told what GPU memory will be taken, piece by piece, before any is. */
  onPlan?: (pieces: readonly PlannedMemory[]) => void;
  /** False keeps every layer and tensor apart, for comparison. */
  optimise?: boolean;
}

const netOptions: Names<NetOptions> = {
  ...{ batch: true, layer: true, values: true, gradient: true, weightGradients: true, weights: true, spots: true },
  ...{ doubleFloat: true, arithmetic: true, choose: true, onPlan: true, optimise: true },
};

/** Values of one batch, NCHW: of the only input, or of each input by name. What is made of NaN and infinity is anything. */
export type NetInput = Float32Array | Record<string, Float32Array>;

/**
 * A network on a device.
 *
 * ```ts
 * using net = await Net.create(device, model, { batch: 2, gradient: true });
 * const { output, gradient } = await net.gradient(x, 945);
 * ```
 */
export class Net {
  #freed = false;
  #hasGradients = false;

  private constructor(
    private readonly device: Device,
    private readonly graph: Graph,
    private readonly outputs: readonly Value[],
    /** What one pass runs. */
    readonly plan: Plan,
    /** Items run together. */
    readonly batch: number,
    private readonly spots?: { count: number; list: Tensor },
  ) {}

  /**
   * Compiles a model for a device and uploads its weights.
   * @throws UserError for a layer that is not there, weights that do not fit or arithmetic that the device does not have, GpuError when the device fails.
   */
  static async create(device: Device, model: Model, options: NetOptions = {}): Promise<Net> {
    const {
      batch = 1,
      layer,
      values,
      gradient = false,
      weightGradients,
      weights,
      doubleFloat,
      arithmetic,
      choose,
      onPlan,
      optimise,
    } = options;
    checkModel("the model", model);
    checkNames("a net", options, netOptions);
    checkWhole("spots", options.spots ?? 1, 1);
    const needing = gradient ? undefined : weightGradients ? "weightGradients" : options.spots && "spots";
    if (needing) throw new UserError(`${needing}: the net is made without gradient, which these are of`);
    const spots = options.spots && { count: options.spots, list: run("spots", batch * options.spots, "buffer") };
    const graph = buildGraph(model);
    const outputs = values?.map((name) => valueOf(graph, name)) ??
      [layer === undefined ? graph.output : graph.find(layer)];
    if (outputs.length === 0) throw new UserError("values is empty, expected the name of a layer or more");
    const plan = await buildPlan(device, {
      graph,
      batch,
      wanted: outputs,
      gradient: gradient === false ? undefined : {
        of: outputs.slice(0, 1),
        to: gradient === true ? graph.inputs[0] : graph.find(gradient),
        spots: spots ? () => listedSpots(spots.list, spots.count) : undefined,
      },
      weightGradients,
      storage: weights,
      doubleFloat,
      arithmetic,
      choose,
      onPlan,
      optimise,
    });
    return new Net(device, graph, outputs, plan, batch, spots || undefined);
  }

  /** Shape of one item of the first input. */
  get inputShape(): readonly number[] {
    return this.graph.inputs[0].shape;
  }

  /** Shape of one item of the output, the first of several. */
  get outputShape(): readonly number[] {
    return this.#output.shape;
  }

  get #output(): Value {
    return this.outputs[0];
  }

  /** GPU memory in bytes. */
  get memory(): PlanMemory {
    return this.plan.memory;
  }

  /** What the memory consists of, and what of it is cut into parts. */
  get pieces(): readonly PlannedMemory[] {
    return this.plan.pieces;
  }

  /** Dispatches of one run, the gradient included where there is one. */
  get dispatches(): number {
    return this.plan.steps.length;
  }

  /**
   * The output's values, NCHW.
   * @throws UserError when an input is missing, unknown or has the wrong number of values, or the net was freed.
   */
  async forward(input: NetInput): Promise<Float32Array> {
    const [output] = await this.forwardAll(input);
    return output;
  }

  /** The values of all outputs, in the order of `values`, each NCHW. @throws UserError as `forward`. */
  async forwardAll(input: NetInput): Promise<Float32Array[]> {
    this.#load(input);
    this.plan.submit(1, true);
    return await Promise.all(this.outputs.map((value) => this.#values(this.plan.tensors.of(value))));
  }

  /**
   * The output and Σ_n ∂output[n, unit] / ∂input.
   * @param xy [x, y] position in a map; the centre (floor of half) unless given.
   * @throws UserError when the unit or position is not there or the net was made without gradient.
   */
  async gradient(
    input: NetInput,
    unit: number,
    xy?: readonly [number, number],
  ): Promise<{ output: Float32Array; gradient: Float32Array }> {
    const size = count(this.#output.shape);
    const dy = new Float32Array(this.batch * size);
    const at = unitIndex(this.#output, unit, xy);
    for (let item = 0; item < this.batch; item++) dy[item * size + at] = 1;
    return await this.backward(input, dy);
  }

  /**
   * The output and the gradient of Σ dy · output, for any dy of the output's shape (NCHW, the whole batch).
   * @throws UserError when dy has the wrong number of values, or more that are not zero than the net was made for, or the net
   * was made without gradient.
   */
  async backward(input: NetInput, dy: Float32Array): Promise<{ output: Float32Array; gradient: Float32Array }> {
    const { tensors } = this.plan;
    const wanted = this.batch * count(this.#output.shape);
    if (!tensors.dx) throw new UserError("the net was made without gradient");
    checkFloats("dy", dy, wanted);
    this.#load(input);
    this.#loadGradient(dy);
    this.plan.submit();
    this.#hasGradients = true;
    return { output: await this.#values(tensors.of(this.#output)), gradient: await this.#values(tensors.dx) };
  }

  /**
   * The gradients that the last `backward` left, by the weights' names, in the shape and order of the weights file.
   * @throws UserError when the net was made without weight gradients, or before the first `backward`.
   */
  async weightGradients(): Promise<Map<string, Float32Array>> {
    const gradients = this.plan.tensors.weights;
    const result = new Map<string, Float32Array>();
    if (!gradients?.size) throw new UserError("the net was made without weight gradients");
    if (!this.#hasGradients) throw new UserError("there are no weight gradients before the first backward");
    this.#checkAlive();
    for (const [name, { tensor, unpack }] of gradients) {
      result.set(name, unpack(await readTexels(this.device, tensor)));
    }
    return result;
  }

  #load(input: NetInput): void {
    this.#checkAlive();
    const { inputs } = this.graph;
    const byName = inputsByName(inputs, input);
    for (const value of inputs) {
      const values = byName[value.name];
      checkFloats(`input "${value.name}"`, values, this.batch * count(value.shape));
      const tensor = this.plan.tensors.of(value);
      writeMap(this.device, tensor, values);
    }
  }

  #checkAlive(): void {
    if (this.#freed) throw new UserError("the net was freed");
  }

  #loadGradient(dy: Float32Array): void {
    const { spots, plan: { tensors } } = this;
    const texels = toTexels(dy, tensors.of(this.#output).shape);
    if (tensors.dy) return upload(this.device, tensors.dy[0], texels);
    const list = listTexels(texels, this.batch, spots!.count);
    if (!list) throw new UserError(`dy: an item has more values that are not zero than ${spots!.count}`);
    upload(this.device, spots!.list, list);
  }

  async #values(tensor: Tensor): Promise<Float32Array> {
    return await readMap(this.device, tensor);
  }

  /** Frees its memory; twice changes nothing. */
  [Symbol.dispose](): void {
    this.#freed = true;
    this.plan[Symbol.dispose]();
  }
}

/** What each input is given. @throws UserError where one has a name that there is not, or none of several has one. */
function inputsByName(inputs: readonly Value[], input: NetInput): Record<string, unknown> {
  const names = inputs.map(({ name }) => name);
  if (typeof input !== "object" || input === null || ArrayBuffer.isView(input) || Array.isArray(input)) {
    if (names.length === 1) return { [names[0]]: input };
    throw new UserError(`expected values for each of the inputs ${names.join(", ")} by name`);
  }
  const stray = Object.keys(input).find((name) => !names.includes(name));
  if (stray !== undefined) throw new UserError(`there is no input "${stray}"; the inputs are ${names.join(", ")}`);
  return input;
}

/** The index of a unit (at a position of a map) among one item's values. @throws UserError when it is not there. */
export function unitIndex({ name, shape }: Value, unit: number, xy?: readonly [number, number]): number {
  const [c, h, w] = unitMap(shape);
  const [x, y] = xy ?? [Math.floor(w / 2), Math.floor(h / 2)];
  if (!Number.isSafeInteger(unit) || unit < 0 || unit >= c) {
    throw new UserError(`unit ${told(unit)} is not in "${name}", which has units 0 to ${c - 1}`);
  }
  if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y) || x < 0 || x >= w || y < 0 || y >= h) {
    throw new UserError(`position ${x},${y} is not in "${name}", whose maps are ${w} wide and ${h} high`);
  }
  return (unit * h + y) * w + x;
}
