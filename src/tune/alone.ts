/**
 * A layer by itself, to be timed and compared in one way after another.
 *
 * In a plan a layer's input was made just before, but its weights were last read half an iteration ago, and all other weights
 * since. Here the same holds: the layer has as many copies of its weights as come to what the whole network has, and each run
 * reads the next copy; inputs and outputs are the same in all runs. So weights that a cache cannot keep in the plan come from
 * memory here too, and nothing but the layer is timed.
 */
import { type Call, rebound } from "../gpu/call.ts";
import { compile, type Step } from "../gpu/compile.ts";
import type { Device } from "../gpu/device.ts";
import { GpuError } from "../gpu/error.ts";
import { checkCall } from "../gpu/source.ts";
import { type Clock, LEAST_MS, roundOf, type Submit, submitSteps } from "../gpu/timing.ts";
import { readMap, writeMap } from "../gpu/map.ts";
import { bytesFor, free, type Memory, place, type Tensor, upload } from "../gpu/tensor.ts";
import type { LayerWays, Subject } from "../net/choose.ts";
import { assignSlots } from "../net/liveness.ts";
import { type Load, packWeights } from "../net/load.ts";
import { take } from "../net/plan.ts";
import { count, type Node } from "../ops/op.ts";
import { formOf } from "../ops/way.ts";
import { normals } from "../synth/random.ts";
import { callsAlone, type Ends, endsOf } from "./subject.ts";

/** The steps of one run with each copy of the weights. */
type Rotation = readonly (readonly Step[])[];

/** Ways that were compiled. */
export interface Built extends Disposable {
  readonly forward: Rotation;
  readonly backward: Rotation;
}

/** A number that no layer makes of small ones. */
export const NOT_WRITTEN = -1e30;

/** Copies of the weights at most: of so many small ones each is long out of the nearest cache. */
const MOST_COPIES = 64;

/** A layer with tensors of its own, and weights in every form that was asked for. */
export class Alone {
  readonly #owned: Memory[] = [];
  readonly #weights = new Map<string, Node["weights"][]>();
  readonly #ends: Ends;
  readonly #about: Subject;

  /**
   * Takes memory for the layer's inputs, outputs and their gradients, and fills those that are read with random numbers.
   * @param rotation Bytes of weights that a run of the whole network reads; without them there is one copy.
   */
  constructor(readonly device: Device, about: Subject, readonly rotation = 0) {
    const copies = new Map<Tensor, Tensor>();
    const fresh = (tensor: Tensor): Tensor => {
      const found = copies.get(tensor);
      if (found) return found;
      const own: Tensor = { ...tensor, memory: undefined };
      copies.set(tensor, own);
      this.#take(own);
      if (tensor.rest) this.#take(own.rest = { ...tensor.rest, memory: undefined });
      return own;
    };
    try {
      const { task } = about;
      const inputs = task.inputs.map(fresh);
      const output = fresh(task.output);
      this.#about = { ...about, task: { ...task, inputs, output } };
      this.#ends = endsOf(this.#about.task);
      for (const [seed, tensor] of inputs.entries()) this.#fill(tensor, seed);
      if (about.gradient) {
        for (const tensor of [this.#ends.dy, ...this.#ends.dx]) this.#take(tensor);
        this.#fill(this.#ends.dy, inputs.length);
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Compiles ways. @throws GpuError where the adapter cannot run them. */
  async build(ways: LayerWays): Promise<Built> {
    const { device } = this;
    const [first, ...others] = await this.#copies(formOf(ways.forward.way));
    const calls = callsAlone(this.#about, ways, first, this.#ends);
    const all = [...calls.forward, ...calls.backward];
    for (const call of all) checkCall(call, device);
    const owned: Memory[] = [];
    const release = () => owned.splice(0).forEach((memory) => free(device, memory));
    try {
      for (const slot of assignSlots(all, ({ memory }) => memory !== undefined, false)) owned.push(take(device, slot));
      await device.settle();
      const rotation = async (calls: readonly Call[]) => {
        const runs: Step[][] = [];
        for (const copy of [first, ...others]) {
          const own = new Map(Object.entries(first).map(([name, tensor]) => [tensor, copy[name]]));
          runs.push(await Promise.all(calls.map((call) => compile(device, rebound(call, own)))));
        }
        return runs;
      };
      const [forward, backward] = [await rotation(calls.forward), await rotation(calls.backward)];
      await device.settle();
      return { forward, backward, [Symbol.dispose]: release };
    } catch (error) {
      release();
      await device.settle().catch(() => {}); // what else failed belongs to these ways, not to the next
      throw error;
    }
  }

  /** Runs ways once, and gives the values of the output and of the gradients to all inputs. */
  async values({ forward, backward }: Built): Promise<Float32Array[]> {
    const { task: { output }, gradient } = this.#about;
    const made = [output, ...gradient ? this.#ends.dx : []];
    // What a kernel leaves out shall not be what another one wrote.
    for (const tensor of made) {
      upload(this.device, tensor, new Float32Array(tensor.texels * 4).fill(NOT_WRITTEN));
    }
    submitSteps(this.device, [...forward[0], ...backward[0]], 1);
    const values: Float32Array[] = [];
    for (const tensor of made) values.push(await readMap(this.device, tensor));
    return values;
  }

  [Symbol.dispose](): void {
    this.#owned.splice(0).forEach((memory) => free(this.device, memory));
  }

  #take(tensor: Tensor): void {
    if (tensor.memory) return;
    this.#owned.push(place(this.device, tensor).memory!);
  }

  #fill(tensor: Tensor, seed: number): void {
    writeMap(this.device, tensor, normals(seed, count(tensor.shape)));
  }

  /** The weights in a form, as often as they make a rotation. */
  async #copies(form: string): Promise<Node["weights"][]> {
    const found = this.#weights.get(form);
    if (found) return found;
    const { device } = this;
    const { layer, task } = this.#about;
    const loads: Load[] = [];
    const first = packWeights(device, layer, layer.weights(), task, form, loads);
    const size = loads.reduce((sum, { tensor }) => sum + bytesFor(device, tensor.texels, tensor.storage), 0);
    const wanted = size ? Math.max(1, Math.min(MOST_COPIES, Math.ceil(this.rotation / size))) : 1;
    const copies: Node["weights"][] = [];
    while (copies.length < wanted) {
      const copy = copies.length ? duplicate(first) : first;
      const before = this.#owned.length;
      try {
        for (const tensor of Object.values(copy)) this.#take(tensor);
        await device.settle();
      } catch (error) {
        if (copies.length === 0 || !(error instanceof GpuError && error.kind === "out-of-memory")) throw error;
        this.#owned.splice(before).forEach((memory) => free(device, memory));
        break;
      }
      copies.push(copy);
    }
    for (const { tensor, packed } of loads) {
      const name = Object.keys(first).find((name) => first[name] === tensor)!;
      const texels = packed.bytes;
      for (const copy of copies) upload(device, copy[name], texels);
      await device.finish();
    }
    this.#weights.set(form, copies);
    return copies;
  }
}

/** Tensors like these, without memory. */
const duplicate = (weights: Node["weights"]): Node["weights"] =>
  Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, { ...tensor, memory: undefined }]));

/** Milliseconds that one timing lasts about. */
const TURN_MS = { cpu: 20, gpu: 12 };

/** Times a rotation by a clock: each call goes on with the copy after the last one's. */
export function timer(device: Device, clock: Clock, rotation: Rotation): () => Promise<number> {
  const wanted = device.caps.software ? TURN_MS.cpu : TURN_MS.gpu;
  let times = 0;
  let next = 0;
  const submit: Submit = (times, timestampWrites) => {
    const runs = Array.from({ length: times }, (_, n) => rotation[(next + n) % rotation.length]);
    next = (next + times) % rotation.length;
    submitSteps(device, runs.flat(), 1, timestampWrites);
  };
  return async () => {
    if (rotation[0].length === 0) return LEAST_MS;
    if (times === 0) {
      await clock.time(submit, 1);
      times = (await roundOf(clock, submit, wanted)).times;
    }
    return Math.max(await clock.time(submit, times) / times, LEAST_MS);
  };
}
