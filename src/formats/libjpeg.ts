/**
 * libjpeg-turbo, compiled to WebAssembly by @cwasm/jpeg-turbo: the TurboJPEG functions of libjpeg-turbo's documentation, by
 * their own names. Its defaults are libjpeg's: the accurate integer DCT, and upsampling that interpolates.
 *
 * Compiled so, C has no way back out of an error: `setjmp` does nothing and `longjmp` throws here. What the instance had in
 * hand is lost with it, so the next picture gets another.
 */
import code from "@cwasm/jpeg-turbo/jpeg-turbo.wasm" with { type: "bytes" };

/** What the module exports; pointers and results are numbers. */
interface TurboJpeg {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(at: number): void;
  tjInitDecompress(): number;
  tjDestroy(decoder: number): number;
  tjDecompressHeader3(
    decoder: number,
    file: number,
    bytes: number,
    width: number,
    height: number,
    subsampling: number,
    colourSpace: number,
  ): number;
  tjDecompress2(
    decoder: number,
    file: number,
    bytes: number,
    pixels: number,
    width: number,
    stride: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

/** TurboJPEG's numbers for formats of pixels, and the bytes of each. */
const formats = { rgb: { number: 0, bytes: 3 }, cmyk: { number: 11, bytes: 4 } };

/** Memory never shrinks; an instance that took more than this is not kept. */
const mostKept = 64 * 2 ** 20;

let compiled: WebAssembly.Module | undefined;
let kept: TurboJpeg | undefined;

/**
 * Decodes a JPEG in Huffman's coding: the width × height pixels row by row, three bytes each as RGB or four as the CMYK that
 * is stored. What is damaged in the coded data comes out as libjpeg leaves it. Throws Error where nothing comes out, or where
 * the picture is of another size.
 */
export function decodeLibjpeg(file: Uint8Array, width: number, height: number, format: "rgb" | "cmyk"): Uint8Array {
  const jpeg = kept ?? instantiate();
  const { number, bytes } = formats[format];
  const size = width * height * bytes;
  kept = undefined;
  const allocate = (bytes: number) => {
    const at = jpeg.malloc(bytes) >>> 0;
    if (at === 0) throw new Error("there is not enough memory for it");
    return at;
  };
  const input = allocate(file.length);
  const output = allocate(size);
  const facts = allocate(16);
  const decoder = jpeg.tjInitDecompress();
  new Uint8Array(jpeg.memory.buffer).set(file, input);
  // Both fail on a mere warning, which libjpeg's own programs print and pass over; errors throw.
  jpeg.tjDecompressHeader3(decoder, input, file.length, facts, facts + 4, facts + 8, facts + 12);
  const [realWidth, realHeight] = new Int32Array(jpeg.memory.buffer, facts, 2);
  if (realWidth !== width || realHeight !== height) throw new Error("its header is damaged");
  jpeg.tjDecompress2(decoder, input, file.length, output, width, width * bytes, height, number, 0);
  const pixels = new Uint8Array(jpeg.memory.buffer).slice(output, output + size);
  jpeg.tjDestroy(decoder);
  for (const at of [input, output, facts]) jpeg.free(at);
  if (jpeg.memory.buffer.byteLength <= mostKept) kept = jpeg;
  return pixels;
}

function instantiate(): TurboJpeg {
  const fail = () => {
    throw new Error("it is damaged");
  };
  const env = { setjmp: () => 0, longjmp: fail };
  const wasi_snapshot_preview1 = {
    environ_sizes_get: () => 0, // no variables
    environ_get: () => 0,
    proc_exit: fail,
    fd_close: fail,
    fd_seek: fail,
    fd_write: fail,
  };
  compiled ??= new WebAssembly.Module(code);
  return new WebAssembly.Instance(compiled, { env, wasi_snapshot_preview1 }).exports as unknown as TurboJpeg;
}
