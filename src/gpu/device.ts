/**
 * The device: the best adapter with the highest limits it grants, and the one place where its errors surface.
 *
 * WebGPU reports failures late and elsewhere (error scopes, events). Everything made here is made through `make`,
 * which remembers the label; `settle` then throws the first failure as a typed error that names it.
 */
import { GpuError, type GpuErrorKind } from "./error.ts";
import type { Adapter, Caps, Feature, Storage } from "./adapter.ts";
import { unlessLost } from "./loss.ts";

/** The share of free memory that a software adapter's tensors may have at most. */
const SHARE = 0.9;

/**
 * What a run takes beside its tensors where a CPU runs the shaders: the driver's compiler and kernels, and as much again as the
 * tensors while weights are packed and wait in the queue. (llvmpipe with 26, 99 and 230 MB of tensors: 183, 282 and 380 MB.)
 */
const COMPILER_BYTES = 180 * 2 ** 20;
const MOST_COPIED = 2 ** 28;

/** Bytes that tensors may take of a machine's memory, of which so many are free. */
function tensorBytes(free: number): number {
  const left = Math.max(0, free - COMPILER_BYTES);
  return Math.min(SHARE * free, Math.max(left / 2, left - MOST_COPIED));
}

/** What kernels may ask for, and the device for them. */
const FEATURES: readonly Feature[] = ["shader-f16", "subgroups"];

/** How `openDevice` chooses. */
export interface DeviceOptions {
  /** `"high-performance"` (the default), `"low-power"`, or `"fallback"` for a software adapter. */
  adapter?: string;
  /** Where feature maps and weights lie; what the adapter reads fastest unless given. */
  storage?: Storage;
  /**
   * Bytes of the machine's memory that are free, where they are known. A software adapter takes from these, and a system
   * that has promised more than it has ends programs; a GPU refuses by itself what it has not.
   */
  memory?: number;
}

/** An adapter as it was opened. */
interface Opened {
  gpu: GPUDevice;
  name: string;
  caps: Caps;
}

/** How often, and after how many milliseconds at first, an adapter is asked for again: a driver's reset takes a while. */
const REOPENINGS = 6;
const PAUSE_MS = 100;

/** How long a failure may come before the news that its device is lost, in milliseconds. */
const NEWS_MS = 100;

/** An open adapter. Owns every buffer and texture made through it; `Symbol.dispose` frees them all. */
export class Device implements Adapter {
  /** Bytes of GPU memory in use now, as asked for. */
  memory = 0;
  /** What that memory consists of. */
  readonly taken: Set<unknown> = new Set();
  /** Per-device caches of other modules (pipelines, layouts): they vanish with the device. */
  readonly cache: Map<string, unknown> = new Map();
  #opened: Opened;
  #pending: Set<Promise<GpuError | null>> = new Set();
  #lost: GpuError | undefined;
  #stray: GpuError | undefined;
  #closed = false;
  #renewal: Promise<void> | undefined;

  /**
   * Of a WebGPU device that somebody else opened; `openDevice` opens one.
   * @param given Where feature maps and weights lie: textures suit a CPU, buffers a GPU, and do unless given.
   * @param reopen Opens an adapter the same way when this one is lost.
   */
  constructor(
    gpu: GPUDevice,
    name: string,
    caps: Caps,
    private readonly given?: Storage,
    private readonly reopen?: () => Promise<Opened>,
  ) {
    this.#opened = this.#watched({ gpu, name, caps });
  }

  /** WebGPU's own device. */
  get gpu(): GPUDevice {
    return this.#opened.gpu;
  }

  /** What the adapter calls itself. */
  get name(): string {
    return this.#opened.name;
  }

  /** The adapter's limits and features. */
  get caps(): Caps {
    return this.#opened.caps;
  }

  /** Where feature maps lie. */
  get storage(): Storage {
    return this.given ?? (this.caps.software ? "texture" : "buffer");
  }

  /** Listens to what a device says of itself. */
  #watched(opened: Opened): Opened {
    const { gpu, name } = opened;
    gpu.lost.then(({ message }) => {
      if (this.gpu === gpu) this.#lost ??= new GpuError("lost", name, `lost (${message})`);
    });
    gpu.addEventListener("uncapturederror", (event) => {
      const error = (event as GPUUncapturedErrorEvent).error;
      if (this.gpu === gpu) this.#stray ??= new GpuError(kindOf(error), name, firstLine(error.message));
      event.preventDefault();
    });
    return opened;
  }

  /** Runs `create` under error scopes; a failure is thrown by the next `settle` with `label` as its subject. */
  make<T>(label: string, create: () => T): T {
    this.gpu.pushErrorScope("out-of-memory");
    this.gpu.pushErrorScope("validation");
    try {
      return create();
    } catch (error) {
      throw new GpuError("validation", label, firstLine((error as Error).message));
    } finally {
      for (let scope = 0; scope < 2; scope++) {
        this.#pending.add(
          this.gpu.popErrorScope().then((e) => e ? new GpuError(kindOf(e), label, firstLine(e.message)) : null),
        );
      }
    }
  }

  /**
   * Waits for the outcome of everything made so far; all who wait at the same time are told the same.
   * @throws GpuError the first failure; a loss for ever after.
   */
  async settle(): Promise<void> {
    const made = [...this.#pending];
    const outcomes = await Promise.all(made).finally(() => made.forEach((one) => this.#pending.delete(one)));
    const failure = this.#lost ?? outcomes.find((e) => e) ?? this.#stray;
    this.#stray = undefined;
    if (failure) throw failure;
  }

  /** Waits until the queue is empty. @throws GpuError what failed since the last check. */
  async finish(): Promise<void> {
    await unlessLost(this.gpu, this.gpu.queue.onSubmittedWorkDone());
    await this.settle();
  }

  /**
   * Whether the driver has taken the device away and it can be opened anew. A failure may be told a little before its cause,
   * so this waits for a moment where the device still seems to be there.
   */
  async isLost(): Promise<boolean> {
    const moment = new Promise<boolean>((tell) => void setTimeout(() => tell(false), NEWS_MS));
    const lost = await Promise.race([this.gpu.lost.then(() => true), moment]);
    return lost && !this.#closed && this.reopen !== undefined;
  }

  /**
   * Opens a lost device anew, by the adapter that is there now. What was made on the old one is gone: networks are to be
   * created again. Nothing happens where somebody else has renewed it since `lost` was its `gpu`.
   * @throws GpuError the loss, where there is no adapter any more.
   */
  async renew(lost: GPUDevice): Promise<void> {
    if (this.gpu === lost) await (this.#renewal ??= this.#renew().finally(() => this.#renewal = undefined));
  }

  async #renew(): Promise<void> {
    const loss = this.#lost;
    const opened = await this.#reopened();
    if (!opened || this.#closed) {
      opened?.gpu.destroy();
      throw loss ?? new GpuError("lost", this.name, "lost");
    }
    this.#pending.clear();
    this.#lost = this.#stray = undefined;
    this.cache.clear();
    this.taken.clear();
    this.memory = 0;
    this.#opened = this.#watched(opened);
  }

  async #reopened(): Promise<Opened | undefined> {
    for (let time = 0; time < REOPENINGS; time++) {
      if (time > 0) await new Promise((go) => setTimeout(go, PAUSE_MS * 2 ** time));
      const opened = await this.reopen?.().catch(() => undefined);
      if (opened) return opened;
    }
  }

  /** Gives the device back; twice changes nothing. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#lost ??= new GpuError("lost", this.name, "the device was closed");
    this.gpu.destroy();
  }
}

function kindOf(error: GPUError): GpuErrorKind {
  return error.constructor.name === "GPUOutOfMemoryError" ? "out-of-memory" : "validation";
}

function firstLine(message: string): string {
  return message.split("\n").map((line) => line.trim()).filter((line) => line).slice(0, 4).join(" ");
}

/**
 * Opens the adapter that `options.adapter` asks for with the highest limits it grants.
 *
 * ```ts
 * using device = await openDevice();
 * console.log(device.name, device.caps.software);
 * ```
 * @throws GpuError of kind `no-adapter` where WebGPU has nothing to offer.
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  const { gpu, name, caps } = await openAdapter(options);
  return new Device(gpu, name, caps, options.storage, () => openAdapter(options));
}

/** The adapter that the options ask for, and its device. @throws GpuError of kind `no-adapter`. */
async function openAdapter(options: DeviceOptions): Promise<Opened> {
  const wish = options.adapter || "high-performance";
  if (!["high-performance", "low-power", "fallback"].includes(wish)) {
    throw new GpuError("no-adapter", wish, "expected high-performance, low-power or fallback as adapter");
  }
  const adapter = await (globalThis.navigator?.gpu as GPU | undefined)?.requestAdapter(
    wish === "fallback" ? { forceFallbackAdapter: true } : { powerPreference: wish as GPUPowerPreference },
  );
  if (!adapter) {
    throw new GpuError(
      "no-adapter",
      "WebGPU",
      "no adapter found; install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers) or use a browser with WebGPU",
    );
  }
  const limits = adapter.limits;
  const wanted = [
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxTextureDimension2D",
    "maxStorageBuffersPerShaderStage",
    "maxSampledTexturesPerShaderStage",
    "maxStorageTexturesPerShaderStage",
    "maxComputeWorkgroupsPerDimension",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY",
    "maxComputeWorkgroupSizeZ",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupStorageSize",
  ] as const;
  const timestamps = adapter.features.has("timestamp-query");
  const features = FEATURES.filter((feature) => adapter.features.has(feature));
  const gpu = await adapter.requestDevice({
    label: "phosphene",
    requiredFeatures: [...features, ...timestamps ? ["timestamp-query" as const] : []],
    requiredLimits: Object.fromEntries(wanted.map((name) => [name, limits[name]])),
  });
  const info = adapter.info as GPUAdapterInfo & { isFallbackAdapter?: boolean };
  const name = info.description || [info.vendor, info.architecture].filter((part) => part).join(" ") || "WebGPU";
  const swiftshader = /swiftshader/i.test(`${name} ${info.architecture}`);
  const software = info.isFallbackAdapter ?? (swiftshader || /llvmpipe/i.test(name));
  const caps: Caps = {
    features,
    timestamps,
    software,
    swiftshader,
    lanes: Number(/(\d+) bits/.exec(name)?.[1] ?? (swiftshader ? 128 : 256)) / 32, // as llvmpipe describes itself
    // SwiftShader takes nearly twice as long for a storage image as for a sampled texture, llvmpipe a third.
    storageReads: software && !swiftshader &&
      navigator.gpu.wgslLanguageFeatures?.has("readonly_and_readwrite_storage_textures"),
    maxBinding: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    maxTexture: limits.maxTextureDimension2D,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxSampledTextures: limits.maxSampledTexturesPerShaderStage,
    maxStorageTextures: limits.maxStorageTexturesPerShaderStage,
    maxGroups: limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroup: [limits.maxComputeWorkgroupSizeX, limits.maxComputeWorkgroupSizeY, limits.maxComputeWorkgroupSizeZ],
    maxWorkgroupInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxMemory: software ? tensorBytes(options.memory ?? Infinity) : Infinity,
  };
  return { gpu, name, caps };
}
