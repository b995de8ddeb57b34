/** What went wrong on the GPU, as one typed error: every failure names the kernel, tensor or adapter it happened in. */
import { oneLine } from "../formats/user_error.ts";

/** `no-adapter`: nothing to run on; `lost`: the driver took the device away. */
export type GpuErrorKind = "no-adapter" | "validation" | "out-of-memory" | "lost";

/** Thrown for every failure of the device; `kind` tells them apart, `subject` is the label of what failed. */
export class GpuError extends Error {
  /** Tells it from other errors, also in another realm. */
  override name = "GpuError";
  /** `subject` is the kernel, tensor or limit that it is about, `detail` what the GPU said. */
  constructor(readonly kind: GpuErrorKind, readonly subject: string, detail: string) {
    super(oneLine(`${subject}: ${detail}`));
  }
}
