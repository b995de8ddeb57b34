/**
 * Inflating in small slices. The engine's decompressor turns all that it is given into one piece, and DEFLATE may make a
 * thousand bytes of one: a slice of 8 KiB comes to 8 MiB at most, whatever a hostile file holds, and where it goes on like that, one
 * of 1 KiB to 1 MiB.
 *
 * The engine's is the fast one, and refuses a stream that bytes follow; pako finds its end.
 */
import { Inflate, Z_SYNC_FLUSH } from "pako";
import { giveBack } from "./bytes.ts";

/** Compressed bytes that are given at a time; where they have grown more than so many times, as no picture does, fewer. */
const SLICE = 1 << 13;
const GROWTH = 100;
const SMALL = 1 << 10;

/**
 * Inflates piece by piece, as fast as the pieces are taken; the memory of each is given back when the next is asked for, not at
 * some collection. Throws Error where the data are damaged, or as soon as they inflate to more than `limit` bytes.
 * @param pieces The compressed bytes, in pieces of any size.
 */
export async function* inflate(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  format: CompressionFormat,
  limit = Infinity,
): AsyncGenerator<Uint8Array> {
  let given = 0;
  let size = 0;
  const slices = sliced(pieces, () => size > GROWTH * given ? SMALL : SLICE);
  const packed = new ReadableStream<BufferSource>({
    async pull(stream) {
      const { value } = await slices.next();
      if (!value) return stream.close();
      given += value.byteLength;
      stream.enqueue(value);
    },
    cancel: async () => void await slices.return(undefined),
  });
  const reader = packed.pipeThrough(new DecompressionStream(format)).getReader();
  try {
    for (;;) {
      const { value } = await reader.read().catch((error) => {
        throw error instanceof TypeError ? new Error("its compressed data are damaged") : error;
      });
      if (!value) return;
      if ((size += value.length) > limit) {
        throw new Error(`compressed data hold more than the expected ${limit} bytes`);
      }
      yield value;
      giveBack(value);
    }
  } finally {
    await reader.cancel().catch(() => {}); // also where nobody wants the rest
  }
}

async function* sliced(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  next: () => number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const slice = piece.subarray(at, at + next()) as Uint8Array<ArrayBuffer>;
      at += slice.length;
      yield slice;
    }
  }
}

/**
 * Inflates the zlib stream that bytes begin with, piece by piece, as fast as the pieces are taken; what is behind it does not
 * count, and a stream that is cut off ends there. Throws Error where the data are damaged.
 */
export function* inflateStart(bytes: Uint8Array): Generator<Uint8Array, void> {
  const stream = new Inflate({ windowBits: 15 }); // zlib's own header, and no other
  let pieces: Uint8Array[] = [];
  stream.onData = (piece) => pieces.push(piece);
  for (let at = 0; at < bytes.length && !stream.ended; at += SLICE) {
    stream.push(bytes.subarray(at, at + SLICE), Z_SYNC_FLUSH);
    if (stream.err) throw new Error("its compressed data are damaged");
    yield* pieces;
    pieces = [];
  }
}
