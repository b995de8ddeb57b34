/**
 * What a file is by its first bytes, whatever its name: in place of a model or a picture there often lies what a server sent
 * instead, the pointer of a version control system, an archive, or another program's format.
 */
import { show, UserError } from "./user_error.ts";

/** Bytes that are enough to tell. */
export const HEAD = 4096;

/** A file's beginning: its bytes, and the text that they are, if they are one. */
interface Head {
  bytes: Uint8Array;
  text?: string;
  /** The name of the first file in there, of a zip archive. */
  entry?: string;
}

/** A kind of file. */
interface Kind {
  /** With its article, as sentences name it. */
  what: string;
  /** What to do about it, the end of a sentence. */
  way?: string;
  is(head: Head): boolean;
}

const byOnnx = (how: string) => `such models are not read: ${how}, then \`deno task convert onnx\``;
const unpackIt = "unpack it first";
const asPng = "save it as PNG or JPEG";
const asSafetensors = "it can run any program; write it as safetensors first, in Python: " +
  'from safetensors.torch import save_file; save_file(torch.load("net.pth", weights_only=True), "net.safetensors")';

/** Whether there are these bytes; a text's characters are bytes. */
const at = (place: number, wanted: string | readonly number[]) => ({ bytes }: Head): boolean =>
  [...wanted].every((each, n) => bytes[place + n] === (typeof each === "string" ? each.charCodeAt(0) : each));

const begins = (...starts: (string | readonly number[])[]) => (head: Head): boolean =>
  starts.some((start) => at(0, start)(head));

const matches = (pattern: RegExp) => ({ text }: Head): boolean => text !== undefined && pattern.test(text);

const holds = (pattern: RegExp) => ({ entry }: Head): boolean => entry !== undefined && pattern.test(entry);

/** Space, comments and what else may stand before a page's first tag. */
const beforePage = String.raw`^\s*(?:<\?xml[^>]*>\s*|<!--[^]*?-->\s*)*`;

/** The kinds, of which the first that fits counts. */
const kinds = {
  safetensors: {
    what: "a safetensors file",
    is: ({ bytes }) => [0x7b, 0x20].includes(bytes[8]) && bytes[4] + bytes[5] + bytes[6] + bytes[7] === 0,
  },
  npy: { what: "a .npy file of NumPy's", is: begins("\x93NUMPY") },
  png: { what: "a PNG picture", is: begins("\x89PNG") },
  jpeg: { what: "a JPEG picture", is: begins([0xff, 0xd8, 0xff]) },
  onnx: {
    what: "an ONNX model",
    way: "`deno task convert onnx` makes a model folder of it",
    // ir_version, then the producer's name, its version, the domain, the graph or the operators' versions.
    is: ({ bytes }) =>
      bytes[0] === 8 && bytes[1] > 0 && bytes[1] < 32 && [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(bytes[2]),
  },

  lfs: {
    what: "a Git LFS pointer",
    way: "`git lfs pull` in its repository fetches the file itself",
    is: matches(/^version https?:\/\/(?:git-lfs\.github\.com|git-media\.io|hawser\.github\.com)\//),
  },
  annex: {
    what: "a git-annex pointer",
    way: "`git annex get` in its repository fetches the file itself",
    is: matches(/^\/annex\/objects\//),
  },
  html: {
    what: "a web page (HTML)",
    way: "its address shows the file or asks for something first: fetch what the page's download link leads to",
    is: matches(new RegExp(`${beforePage}<(?:!doctype\\s+html|html|head|body|title|meta|script)\\b`, "i")),
  },
  svg: {
    what: "an SVG drawing",
    way: asPng,
    is: matches(new RegExp(`${beforePage}(?:<!doctype\\s+svg[^>]*>\\s*)?<svg\\b`, "i")),
  },
  xml: {
    what: "XML",
    way: "is it a server's answer in place of the file?",
    is: matches(/^\s*<\?xml\b|^\s*<Error>/),
  },
  tfjs: {
    what: "a TensorFlow.js model",
    way: byOnnx(
      "make a graph model of a layers model by tensorflowjs_converter, and ONNX of that by tf2onnx.convert --tfjs",
    ),
    is: matches(/^\s*\{[^]*"(?:modelTopology|weightsManifest)"|^\s*\{[^]*"format"\s*:\s*"(?:layers|graph)-model"/),
  },
  json: {
    what: "JSON",
    way: "is it a server's answer, or another program's description?",
    is: matches(/^\s*(?:\{\s*["}]|\[\s*["\d[{\]-])/),
  },

  hdf5: {
    what: "an HDF5 file",
    way: "Caffe writes a caffemodel with snapshot_format: BINARYPROTO, pycaffe with net.save(); " +
      "Keras' networks come by ONNX (tf2onnx)",
    is: (head) => [0, 512, 1024, 2048].some((place) => at(place, "\x89HDF\r\n\x1a\n")(head)), // a user's block may precede
  },
  torch: {
    what: "a PyTorch pickle (torch.save)",
    way: asSafetensors,
    is: holds(/^[^/]+\/(?:(?:data\.pkl|constants\.pkl|version|byteorder|\.format_version)$|(?:\.data|data|code)\/)/),
  },
  pickle: {
    what: "a pickle (torch.save of old versions, or Python's)",
    way: asSafetensors,
    is: (head) =>
      head.bytes[0] === 0x80 && head.bytes[1] >= 2 && head.bytes[1] <= 5 && head.bytes[2] !== 0 ||
      matches(/^\((?:[dl]p\d+\n)|^\(?c(?:__builtin__|copy_?reg|collections|numpy[\w.]*|torch[\w.]*)\n\w+\n/)(head), // as text
  },
  npz: { what: "a .npz file of NumPy's", is: holds(/\.npy$/) },
  keras: {
    what: "a Keras model (.keras)",
    way: byOnnx("save it as .h5 or SavedModel, make ONNX of that by tf2onnx"),
    is: holds(/^(?:metadata|config)\.json$|\.weights\.h5$/),
  },
  zip: { what: "a zip archive", way: unpackIt, is: begins("PK\x03\x04", "PK\x05\x06") },
  gzip: { what: "a gzip archive", way: unpackIt, is: begins([0x1f, 0x8b]) },
  bzip2: { what: "a bzip2 archive", way: unpackIt, is: (head) => begins("BZh")(head) && at(4, "1AY&SY")(head) },
  xz: { what: "an xz archive", way: unpackIt, is: begins("\xfd7zXZ\0") },
  zstd: { what: "a Zstandard archive", way: unpackIt, is: begins([0x28, 0xb5, 0x2f, 0xfd]) },
  sevenZip: { what: "a 7z archive", way: unpackIt, is: begins("7z\xbc\xaf\x27\x1c") },
  rar: { what: "a RAR archive", way: unpackIt, is: begins("Rar!\x1a\x07") },
  tar: { what: "a tar archive", way: unpackIt, is: at(257, "ustar") },

  gif: { what: "a GIF picture", way: asPng, is: begins("GIF87a", "GIF89a") },
  webp: { what: "a WebP picture", way: asPng, is: (head) => begins("RIFF")(head) && at(8, "WEBP")(head) },
  heif: {
    what: "an AVIF or HEIF picture",
    way: asPng,
    is: (head) => at(4, "ftyp")(head) && ["avi", "hei", "hev", "mif", "msf"].some((brand) => at(8, brand)(head)),
  },
  jpegXl: { what: "a JPEG XL picture", way: asPng, is: begins([0xff, 0x0a], "\0\0\0\x0cJXL ") },
  jpeg2000: { what: "a JPEG 2000 picture", way: asPng, is: begins("\0\0\0\x0cjP  ", [0xff, 0x4f, 0xff, 0x51]) },
  tiff: { what: "a TIFF picture", way: asPng, is: begins("II*\0", "MM\0*") },
  bmp: { what: "a BMP picture", way: asPng, is: (head) => begins("BM")(head) && at(6, "\0\0\0\0")(head) },
  pdf: { what: "a PDF", is: begins("%PDF-") },
  tflite: {
    what: "a TensorFlow Lite model",
    way: byOnnx("make ONNX of it by tf2onnx.convert --tflite"),
    is: at(4, "TFL3"),
  },
  gguf: { what: "a GGUF model", way: "models of language are not read", is: begins("GGUF") },
  utf16: {
    what: "text in UTF-16",
    way: "save it in UTF-8",
    is: (head) => isUtf16(head, [0xff, 0xfe], "utf-16le") || isUtf16(head, [0xfe, 0xff], "utf-16be"),
  },
} satisfies Record<string, Kind>;

/** The kinds by name. */
export type KindName = keyof typeof kinds;

/** Whether a file begins with this mark of UTF-16, and text behind it. */
function isUtf16(head: Head, mark: readonly number[], encoding: string): boolean {
  if (!begins(mark)(head) || head.bytes.length % 2 !== 0) return false;
  try {
    return !controls.test(new TextDecoder(encoding, { fatal: true }).decode(head.bytes, { stream: true }));
  } catch {
    return false;
  }
}

/** Control characters other than white space, which no text of ours has. */
const controls = /[^\P{Cc}\t\n\f\r]/u;

/** The text that a file begins with, without a byte order mark; undefined where it is none. Letters in old encodings become "�". */
function textOf(file: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(file.subarray(0, HEAD), { stream: true });
  return controls.test(text) ? undefined : text;
}

function headOf(file: Uint8Array): Head {
  const bytes = file.subarray(0, HEAD);
  const isZip = at(0, "PK\x03\x04")({ bytes }) && bytes.length > 30;
  const entry = isZip ? new TextDecoder().decode(bytes.subarray(30, 30 + bytes[26] + 256 * bytes[27])) : undefined;
  return { bytes, text: textOf(bytes), entry };
}

/** The kind of a file that is known by its first bytes, of which `HEAD` are enough. */
export function kindOf(file: Uint8Array): Kind & { name: KindName } | undefined {
  const head = headOf(file);
  const [name, kind] = Object.entries<Kind>(kinds).find(([, { is }]) => is(head)) ?? [];
  return kind && { ...kind, name: name as KindName };
}

/** @throws UserError where a file is of a known kind that is none of `own`. It was expected to be `expected`. */
export function refuseOthers(bytes: Uint8Array, file: string, expected: string, ...own: KindName[]): void {
  const kind = kindOf(bytes);
  if (!kind || own.includes(kind.name)) return;
  throw new UserError(`${file}: this is ${kind.what}, not ${expected}${kind.way ? `; ${kind.way}` : ""}`);
}

/** Whether a file begins as a text does. */
export const isText = (file: Uint8Array): boolean => (textOf(file)?.trim() ?? "") !== "";

/** The same for a file that is no text: one that is, or is empty, is told so. */
export function refuseText(bytes: Uint8Array, file: string, expected: string, ...own: KindName[]): void {
  refuseOthers(bytes, file, expected, ...own);
  if (bytes.length === 0) throw new UserError(`${file}: this is empty, not ${expected}`);
  const text = textOf(bytes)?.trim();
  if (text && !text.includes("\ufffd")) {
    throw new UserError(`${file}: this is text that begins with ${show(text.slice(0, 40))}, not ${expected}`);
  }
}
