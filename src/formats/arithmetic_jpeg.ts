/**
 * JPEGs in arithmetic coding. The build of libjpeg-turbo that `libjpeg.ts` uses was made without it; that of
 * @cornerstonejs/codec-libjpeg-turbo-8bit has it, and is loaded when the first such file comes.
 */
import type { JpegHeader } from "./jpeg_header.ts";

/** What the package makes; its pixels and buffers are views of its memory. */
interface Build {
  HEAPU8: Uint8Array;
  JPEGDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  };
}

/** Memory never shrinks; a build that took more than this is not kept. */
const mostKept = 64 * 2 ** 20;

/** What the package decodes of three colours: blocks of the first for each one of the others, across × down. */
const usualSampling = ["1×1", "2×1", "1×2", "2×2", "4×1", "1×4"];

let compiled: WebAssembly.Module | undefined;
let kept: Build | undefined;

/**
 * Decodes a JPEG of one colour or three: the width × height pixels row by row, three bytes each. Throws Error where it is
 * damaged: of what libjpeg would only warn, too.
 */
export async function decodeArithmetic(file: Uint8Array, header: JpegHeader): Promise<Uint8Array> {
  const { width, height, channels, sampling } = header;
  const [[across, down], second = [across, down], third = second] = sampling;
  if (String(second) !== String(third) || !usualSampling.includes(`${across / second[0]}×${down / second[1]}`)) {
    const blocks = sampling.map((each) => each.join("×")).join(", ");
    throw new Error(
      `colours in blocks of ${blocks} are not read in arithmetic coding; jpegtran makes a usual JPEG of it`,
    );
  }
  const build = kept ?? await load();
  const decoder = new build.JPEGDecoder();
  kept = undefined; // what it has in hand when it fails is lost with it
  decoder.getEncodedBuffer(file.length).set(file);
  try {
    decoder.decode();
  } catch {
    throw new Error("it is damaged");
  }
  const pixels = decoder.getDecodedBuffer().slice();
  decoder.delete();
  if (pixels.length !== channels * width * height) throw new Error("its header is damaged");
  if (build.HEAPU8.length <= mostKept) kept = build;
  return channels === 3 ? pixels : Uint8Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)]);
}

async function load(): Promise<Build> {
  const [{ default: start }, { default: code }] = await Promise.all([
    import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs"),
    import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm", { with: { type: "bytes" } }),
  ]).catch(() => {
    throw new Error("JPEGs in arithmetic coding are not read here; jpegtran makes a usual JPEG of it"); // in a page
  });
  const made = compiled ??= new WebAssembly.Module(code);
  return await start({
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(made, imports);
      done(instance);
      return instance.exports;
    },
    print() {},
    printErr() {},
  });
}
