/** What a request will run, before any memory is taken: its fused layers, and what each of them is asked to compute. */
import type { Adapter } from "../gpu/adapter.ts";
import { featureMap, formats, type Tensor } from "../gpu/tensor.ts";
import { arithmetics, batched, formatsOf, type HostTensor, type Task, type WeightStorage } from "../ops/op.ts";
import type { Spots } from "../ops/spots.ts";
import { checkWhole, checkWord } from "./asked.ts";
import type { Subject } from "./choose.ts";
import { fuse, type FusedLayer } from "./fuse.ts";
import type { Value } from "./graph.ts";
import type { PlanRequest } from "./plan.ts";

/** The part of a request that says what is computed. */
export type Computed = Pick<
  PlanRequest,
  "graph" | "batch" | "wanted" | "gradient" | "weightGradients" | "storage" | "doubleFloat" | "arithmetic" | "optimise"
>;

/** A request's layers and tensors; these have no memory yet. */
export interface Outline {
  layers: FusedLayer[];
  /** All values that are to be readable after a run. */
  wanted: readonly Value[];
  /** The value whose memory holds a value. */
  resolve(value: Value): Value;
  tensorOf(value: Value): Tensor;
  /**
   * A layer's task. Only asked in the order of the layers: in double-float arithmetic it gives the output its rest.
   * @param spots Where the gradient at its output is not zero, if somebody knows.
   */
  taskOf(layer: FusedLayer, host: Record<string, HostTensor>, spots?: Spots): Task;
}

const storages: readonly WeightStorage[] = ["stored", ...formats];

/** Fuses a request's layers and names their tensors, of which some may hold other numbers of items than the batch. @throws UserError */
export function outline(adapter: Adapter, request: Computed, batchOf?: (value: Value) => number): Outline {
  const { batch, gradient, storage = "stored", doubleFloat = false, arithmetic = "f32" } = request;
  checkWhole("batch", batch, 1);
  checkWord("weights", storage, storages);
  checkWord("arithmetic", arithmetic, arithmetics);
  const { optimise = true } = request;
  const wanted = gradient ? [...request.wanted, ...gradient.of, gradient.to] : request.wanted;
  const training = request.weightGradients === true;
  const { layers, resolve } = fuse(request.graph, wanted, {
    relu: optimise,
    affine: optimise && !training && !doubleFloat,
    order: optimise && !training && !adapter.caps.software, // a dispatch less, which only GPUs feel
  });
  const maps = new Map<Value, Tensor>();
  const tensorOf = (value: Value): Tensor => {
    const own = resolve(value);
    let tensor = maps.get(own);
    if (!tensor) maps.set(own, tensor = featureMap(adapter, own.name, batched(batchOf?.(own) ?? batch, own.shape)));
    return tensor;
  };
  return {
    layers,
    wanted,
    resolve,
    tensorOf,
    taskOf({ op, params, shapes, ...layer }, host, spots) {
      const inputs = layer.inputs.map(tensorOf);
      const output = tensorOf(layer.output);
      if (doubleFloat && op.keepsRest?.({ inputs, shapes, params })) {
        output.rest = featureMap(adapter, `rest of ${output.label}`, output.shape);
      }
      return {
        ...{ adapter, params, inputs, shapes, output, storage, doubleFloat, arithmetic },
        formats: formatsOf(host, storage),
        anyForm: optimise && !training,
        spots,
        redirect: gradient?.redirect,
      };
    },
  };
}

/** What a plan of this request would choose ways for, in order. @throws UserError where the weights do not fit. */
export function subjectsOf(adapter: Adapter, request: Computed): Subject[] {
  const { layers, taskOf } = outline(adapter, request);
  return layers.map((layer) => ({
    layer,
    task: taskOf(layer, layer.weights()),
    gradient: request.gradient !== undefined,
  }));
}
