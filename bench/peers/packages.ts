/**
 * The peers and where they come from. Their packages are named in strings that are put together when they are asked for: no
 * task but `bench synth --peers` fetches any. Their versions are exact, and `deno.lock` in this folder has the digests:
 *
 *     deno cache --lock=bench/peers/deno.lock --frozen=false bench/peers/child.ts PACKAGES
 *
 * writes it anew, PACKAGES being those below. It also lists what the project itself imports: where that changes, the same
 * line has to be run again.
 */

/** What can compute in a peer. */
export type Backend = "webgpu" | "wasm" | "cpu";

/** A library that is compared with. */
interface Library {
  name: string;
  /** The exact version of all its packages. */
  version: string;
  /** npm packages: what every backend needs, and what one backend needs alone. */
  packages: { main: string } & Partial<Record<Backend, string>>;
  /** The backends to try. */
  backends: readonly Backend[];
}

/** The peers. jax-js's own page says of its cpu backend that it is only meant for debugging. */
export const peers = {
  tfjs: {
    name: "TensorFlow.js",
    version: "4.22.0",
    packages: {
      main: "@tensorflow/tfjs",
      wasm: "@tensorflow/tfjs-backend-wasm",
      webgpu: "@tensorflow/tfjs-backend-webgpu",
    },
    backends: ["wasm", "webgpu", "cpu"],
  },
  jax: {
    name: "jax-js",
    version: "0.1.25",
    packages: { main: "@jax-js/jax" },
    backends: ["wasm", "webgpu"],
  },
} as const satisfies Record<string, Library>;

/** The name of a peer in this table. */
export type PeerName = keyof typeof peers;

/** The module of a package. @throws Error where it is not here and cannot be fetched. */
export function importPackage<Module>({ version }: Library, name: string): Promise<Module> {
  const specifier = `npm:${name}@${version}`;
  return import(specifier);
}
