/**
 * What a kernel is and what it works on, as plain data.
 *
 * A kernel names its tensors and says in words what it does with each. Its WGSL defines `kernel`, which reads and writes
 * them through accessors that are written for it,
 *
 *     fn load_NAME(i: u32) -> vec4f          (vec4u for packed formats)
 *     fn store_NAME(i: u32, value: vec4f)
 *
 * wherever a tensor lies (buffer or texture, one part or several). What a plan fuses into a kernel (an activation, the mask
 * of the activation before it) happens inside `store_NAME`.
 *
 * Kernels come in two forms. A kernel of elements is a function of one number, called for each of them, that knows nothing
 * of its neighbours:
 *
 *     fn kernel(i: u32)
 *
 * A kernel of workgroups owns its workgroup: its size, `var<workgroup>` memory, barriers, and a grid of up to three dimensions.
 *
 *     fn kernel(group: vec3u, lane: u32)                                      lane: the invocation's number in its group
 *     fn kernel(group: vec3u, lane: u32, subgroup_lane: u32, subgroup_size: u32)    where it asks for subgroups
 */
import type { Feature } from "./adapter.ts";
import { type Tensor, TEXEL } from "./tensor.ts";

/** What happens to every value on its way into a tensor. */
export interface Epilogue {
  /** y = x > 0 ? x : slope · x. */
  relu?: { slope: number };
  /**
   * dx = y > 0 ? dx : slope · dx, with y at the same texel: the gradient of the ReLU that made y. With `redirect` dx > 0 goes
   * through too, where it would turn the ReLU on.
   */
  mask?: { tensor: Tensor; slope: number; redirect?: boolean };
}

/** One tensor as a kernel sees it. */
export interface Binding {
  /** Where its values lie. */
  readonly tensor: Tensor;
  /** What the kernel does with it; one that is updated is read and written. */
  readonly access: "read" | "write" | "update";
  /** What is done to values on their way into it. */
  readonly epilogue?: Epilogue;
  /** It is read as half floats. */
  readonly halves?: true;
  /** Texels that a dispatch reads of it, where it leaves most alone. */
  readonly touched?: number;
}

/** Bytes that a dispatch reads and writes, each texel once. */
export const bytesMoved = ({ bindings }: { bindings: Readonly<Record<string, Binding>> }): number =>
  Object.values(bindings).reduce((sum, { tensor, access, epilogue, touched = tensor.texels }) => {
    const times = access === "update" ? 2 : 1;
    return sum + TEXEL * (times * touched + (epilogue?.mask?.tensor.texels ?? 0));
  }, 0);

/** What both forms of kernels have. */
export interface Kernel {
  /** What messages and profiles call it. */
  readonly label: string;
  /** Its tensors, by the names that its code calls them. */
  readonly bindings: Readonly<Record<string, Binding>>;
  /** WGSL that defines `kernel`. */
  readonly code: string;
  /** Multiplications and additions of one dispatch that its op asks for, whatever way the kernel goes. */
  readonly flops: number;
  /** Multiply-adds of single values that one dispatch executes, those of spare lanes and padding too, where it has any. */
  readonly multiplyAdds?: number;
  /** What its WGSL asks for. */
  readonly features?: readonly Feature[];
  /** Somebody's own program in place of the one that is made of `code`. */
  readonly own?: OwnProgram;
}

/** A whole WGSL program, with the bindings of the call that it stands for and `main` as its entry point. */
export interface OwnProgram {
  /** The program. */
  readonly wgsl: string;
  /** Where it comes from, for messages. */
  readonly file: string;
  /** Workgroups along each dimension; the call's unless given. */
  readonly grid?: readonly [x: number, y: number, z: number];
}

/** A kernel of elements: `kernel(i)` for i = 0 … invocations − 1. */
export interface ElementCall extends Kernel {
  /** How many elements there are. */
  readonly invocations: number;
}

/** A kernel of workgroups. */
export interface WorkgroupCall extends Kernel {
  /** Invocations of a workgroup along each dimension. */
  readonly workgroup: readonly [x: number, y: number, z: number];
  /** Workgroups along each dimension. */
  readonly grid: readonly [x: number, y: number, z: number];
  /** Bytes of its `var<workgroup>` memory. */
  readonly workgroupBytes: number;
}

/** A kernel and what it works on; plain data until it is compiled. */
export type Call = ElementCall | WorkgroupCall;

/** Whether a call's kernel is one of workgroups. */
export const ownsWorkgroup = (call: Call): call is WorkgroupCall => "workgroup" in call;

/** The kernel reads this tensor: `load_NAME`. */
export const read = (tensor: Tensor): Binding => ({ tensor, access: "read" });
/**
 * The kernel reads this tensor, which is stored as f16, as half floats: `load_NAME(i) -> vec4<f16>`, two for each texel. It
 * has to ask for shader-f16.
 */
export const readHalves = (tensor: Tensor): Binding => ({ tensor, access: "read", halves: true });
/** The kernel writes this tensor: `store_NAME`. */
export const write = (tensor: Tensor, epilogue?: Epilogue): Binding => ({ tensor, access: "write", epilogue });
/** The kernel reads and writes this tensor, which lies in a buffer: `load_NAME` and `store_NAME`. */
export const update = (tensor: Tensor): Binding => ({ tensor, access: "update" });

/** A call on other tensors; those that `other` does not know stay. */
export const rebound = (call: Call, other: ReadonlyMap<Tensor, Tensor>): Call => ({
  ...call,
  bindings: Object.fromEntries(
    Object.entries(call.bindings).map(([name, binding]) => [
      name,
      { ...binding, tensor: other.get(binding.tensor) ?? binding.tensor },
    ]),
  ),
});

/** Tensors that a call reads and writes. */
export function traffic(call: Call): { reads: Tensor[]; writes: Tensor[] } {
  const reads: Tensor[] = [];
  const writes: Tensor[] = [];
  for (const { tensor, access, epilogue } of Object.values(call.bindings)) {
    if (access !== "write") reads.push(tensor);
    if (access !== "read") writes.push(tensor);
    if (epilogue?.mask) reads.push(epilogue.mask.tensor);
  }
  return { reads, writes };
}

/** Multiplications and additions that a dispatch executes; those asked for where the kernel does not say. */
export const executedFlops = ({ multiplyAdds, flops }: Call): number =>
  multiplyAdds === undefined ? flops : 2 * multiplyAdds;
