/** What the ways of a convolution have to know, and what they are. */
import type { ConvDirection, ConvGeometry } from "../../../shaders/conv/shape.ts";
import type { Adapter } from "../../gpu/adapter.ts";
import type { Binding, Call } from "../../gpu/call.ts";
import type { Format, Tensor } from "../../gpu/tensor.ts";
import type { Arithmetic, HostTensor, PackedTensor } from "../op.ts";
import type { Spots } from "../spots.ts";
import type { Sizes } from "../way.ts";
import type { Connection } from "./weights.ts";

/** A convolution to be run in one direction. */
export interface ConvTask {
  readonly adapter: Adapter;
  readonly geometry: ConvGeometry;
  readonly direction: ConvDirection;
  /** How plain weights are stored. */
  readonly format: Format;
  /** Whether weights may be kept in a form other than the plain one. */
  readonly anyForm: boolean;
  readonly doubleFloat: boolean;
  /** What its sums shall be computed in where not in double-float arithmetic. */
  readonly arithmetic: Arithmetic;
  /** Where all of the source is that is not zero, if it is a gradient that somebody knows this of. */
  readonly spots?: Spots;
}

/** A convolution with what it reads and writes. */
export interface ConvRun extends ConvTask {
  readonly name: string;
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly x: Tensor;
  readonly y: Binding;
  /** Whether it is a layer's output, to which its bias is added, not a gradient. */
  readonly forward: boolean;
}

/** A form of weights other than the plain 4×4 blocks. */
export interface WeightForm {
  readonly name: string;
  pack(
    c: Connection & { stride: ConvGeometry["stride"] },
    host: Record<string, HostTensor>,
  ): Record<string, PackedTensor>;
}

/** One way to run a convolution. */
export interface ConvWay {
  readonly name: string;
  /** The form of its weights; plain ones unless given. */
  readonly form?: WeightForm;
  /**
   * What it computes sums in; f32 unless given. It is asked for tasks of this arithmetic alone; for any where it waits for
   * memory, whatever it computes in.
   */
  readonly arithmetic?: Arithmetic | "any";
  /** Whether it can do a task of its arithmetic: `fits` asks both. */
  applies(task: ConvTask): boolean;
  /** The sizes worth trying. */
  sizes(task: ConvTask): readonly Sizes[];
  /** Predicted, in the measure of `Way.cost`. */
  cost(task: ConvTask, sizes: Sizes): number;
  calls(run: ConvRun, sizes: Sizes): Call[];
}

/** Whether a way can do a task, and in the arithmetic that is asked for. */
export const fits = ({ arithmetic = "f32", applies }: ConvWay, task: ConvTask): boolean =>
  (arithmetic === "any" || task.arithmetic === arithmetic) && applies(task);

/** A way again, in f16: for ways that make their kernels by `tiledCall`, which computes in the arithmetic of its run. */
export const inHalves = (way: ConvWay): ConvWay => ({
  ...way,
  name: `${way.name}-f16`,
  arithmetic: "f16",
  applies: (task) => task.adapter.caps.features.includes("shader-f16") && way.applies(task),
});
