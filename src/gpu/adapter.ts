/**
 * What a kernel is made for: an adapter's abilities as plain data. Calls, their final WGSL, tiles and predicted costs follow
 * from it without any device; a `Device` is an adapter that can also run them.
 */

/** What this adapter can do, as far as kernels and plans care. */
export interface Caps {
  /** What kernels may ask for and the device was opened with. */
  features: readonly Feature[];
  /** Timestamp queries can be written. */
  timestamps: boolean;
  /** A CPU runs the shaders (lavapipe, SwiftShader): large register tiles, no barriers, texture loads. */
  software: boolean;
  /** The CPU's program is SwiftShader, whose arithmetic costs several times what llvmpipe's does beside its stores. */
  swiftshader: boolean;
  /** Invocations that one core of a software adapter runs at once: the values of its vectors. */
  lanes: number;
  /** Kernels had better read textures as storage images. */
  storageReads: boolean;
  /** The largest storage buffer that one binding may show, in bytes. */
  maxBinding: number;
  /** The largest side of a 2-d texture, in texels. */
  maxTexture: number;
  /** Most storage buffers that one kernel may bind. */
  maxStorageBuffers: number;
  /** Most textures that one kernel may read. */
  maxSampledTextures: number;
  /** Most storage textures that one kernel may write. */
  maxStorageTextures: number;
  /** Most workgroups along one dimension of a dispatch. */
  maxGroups: number;
  /** Most invocations of a workgroup along each dimension. */
  maxWorkgroup: readonly [x: number, y: number, z: number];
  /** Most invocations of a workgroup in all. */
  maxWorkgroupInvocations: number;
  /** Bytes of `var<workgroup>` that a kernel may have. */
  maxWorkgroupBytes: number;
  /** Bytes that may be in use; Infinity where only the driver knows. */
  maxMemory: number;
}

/** Where tensors lie. */
export type Storage = "buffer" | "texture";

/** WGSL features that not every adapter has. */
export type Feature = "shader-f16" | "subgroups";

/** An adapter's abilities, and where tensors lie on it. */
export interface Adapter {
  /** Its limits and features. */
  readonly caps: Caps;
  /** Where feature maps lie on it. */
  readonly storage: Storage;
}
