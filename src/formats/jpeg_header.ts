/**
 * What a JPEG says of itself before anything is decoded, read as libjpeg reads it: bytes between segments that are no marker
 * are passed over.
 */
import { exifOrientation } from "./exif.ts";

/** A JPEG's frame, and what surrounds it. */
export interface JpegHeader {
  width: number;
  height: number;
  /** Colour channels: 1, 3 or 4. */
  channels: number;
  /** Samples of all colours: those that are stored at a half of the pixels count a half. */
  samples: number;
  /** Blocks of each colour in a unit, across and down. */
  sampling: (readonly [across: number, down: number])[];
  arithmetic: boolean;
  /** EXIF's, 1 (upright) to 8. */
  orientation: number;
  /** At most so many scans are in the bytes up to `end`. */
  scans: number;
  /** Where the picture ends: behind its end marker. */
  end: number;
}

/** What follows a marker: nothing, or a segment that gives its length. */
interface Segment {
  marker: number;
  /** Where the segment's length stands. */
  at: number;
  content: Uint8Array;
}

const endOfImage = 0xd9;
const startOfScan = 0xda;
const app1 = 0xe1;

/** Frames whose decoder is here: baseline, extended and progressive, in Huffman's and in arithmetic coding. */
const knownFrames = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];

const noPicture = "it has no picture of a known kind";

/** Reads a JPEG's segments from first to last. Throws Error where it is truncated, contradicts itself or is of a kind that nobody decodes. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  let frame: Frame | undefined;
  let orientation = 1;
  let firstScan: number | undefined;
  for (const { marker, at, content } of segments(bytes)) {
    if (isFrame(marker)) {
      if (frame) throw new Error("it has several frames");
      frame = readFrame(marker, content);
    } else if (marker === app1 && !firstScan) orientation = exifOrientation(content) ?? orientation;
    else if (marker === startOfScan) {
      if (!frame) throw new Error(noPicture);
      firstScan ??= at;
    } else if (marker === endOfImage) {
      if (!frame || !firstScan) throw new Error(noPicture);
      return { ...frame, orientation, scans: countScans(bytes.subarray(firstScan - 2, at)), end: at };
    }
  }
  throw new Error("it is truncated");
}

type Frame = Pick<JpegHeader, "width" | "height" | "channels" | "samples" | "sampling" | "arithmetic">;

/** Whether a marker starts a frame: SOF0 to SOF15, without the tables and the extension among them. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function readFrame(marker: number, content: Uint8Array): Frame {
  if (!knownFrames.includes(marker)) throw new Error("it is lossless or hierarchical, which is not decoded");
  if (content.length < 6 || content.length < 6 + 3 * content[5]) throw new Error("its frame is cut off");
  const [bits, high, low, wide, narrow, channels] = content;
  const height = high << 8 | low;
  const width = wide << 8 | narrow;
  if (bits !== 8) throw new Error(`${bits} bits a sample; 8 are expected`);
  if (![1, 3, 4].includes(channels)) throw new Error(`${channels} colour channels; 1, 3 or 4 are expected`);
  const sampling = Array.from({ length: channels }, (_, colour) => {
    const blocks = content[7 + 3 * colour] || 0x11;
    return [blocks >> 4, blocks & 15] as const;
  });
  const arithmetic = marker >= 0xc9;
  return { width, height, channels, samples: samplesOf(sampling, width, height), sampling, arithmetic };
}

/** Samples that a frame stores, of each colour so many blocks across and down in a unit; units of all colours cover the picture. */
function samplesOf(sampling: JpegHeader["sampling"], width: number, height: number): number {
  const [across, down] = [0, 1].map((side) => Math.max(1, ...sampling.map((blocks) => blocks[side])));
  const units = Math.ceil(width / (8 * across)) * Math.ceil(height / (8 * down));
  return 64 * units * sampling.reduce((sum, [across, down]) => sum + across * down, 0);
}

/**
 * Scans that a decoder may find: in a scan's data 0xff is never before this byte. In damaged files the two may stand anywhere,
 * so they count everywhere.
 */
function countScans(bytes: Uint8Array): number {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === startOfScan) scans++;
  }
  return scans;
}

/** All markers up to the first end of an image, with their segments; a cut-off one is not among them. */
function* segments(bytes: Uint8Array): Generator<Segment> {
  for (let at = nextMarker(bytes, 2); at > 0; at = nextMarker(bytes, at)) {
    const marker = bytes[at - 1];
    const alone = marker === endOfImage || marker < 0xc0 || marker >> 3 === 0x1a;
    if (alone) yield { marker, at, content: bytes.subarray(at, at) };
    else {
      if (at + 2 > bytes.length) return;
      const end = at + Math.max(2, bytes[at] << 8 | bytes[at + 1]);
      if (end > bytes.length) return;
      yield { marker, at, content: bytes.subarray(at + 2, end) };
      at = end;
    }
    if (marker === endOfImage) return;
  }
}

/** The place behind the next marker, 0 where none follows. A marker is 0xff, maybe several times, and neither 0 nor 0xff. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff) return at + 2;
  }
  return 0;
}
