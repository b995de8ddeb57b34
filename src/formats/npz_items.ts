/**
 * Arrays of a .npz, item by item along their first axis: pictures of a set that is larger than memory. Items that are asked for in
 * order come from one pass, at whose end the archive's checksum is compared; others are read where they lie, if the array is
 * stored as it is, and else in a pass of their own.
 */
import { type NpyHeader, npyHeader } from "./npy.ts";
import { valueCount } from "./shape.ts";
import { show, UserError } from "./user_error.ts";
import { storedAt, unpack, zipEntries, type ZipEntry, type ZipSource } from "./zip.ts";

/** Bytes of the largest item: a picture of 100 megapixels. */
const mostBytes = 3 * 100_000_000;

/** Bytes of the largest array that is read at once. */
const mostWhole = 2 ** 30;

/** Far more than a .npy header takes. */
const mostHeader = 1 << 17;

/** An archive cannot be read: not one item, nor the next. */
export class DamagedArchive extends UserError {
  override name = "DamagedArchive";
}

/** An array of an archive. */
export class NpzItems {
  #pass?: Pass;
  #next = 0;

  private constructor(
    private readonly source: ZipSource,
    private readonly entry: ZipEntry,
    private readonly header: NpyHeader,
    private readonly where: string,
  ) {}

  /**
   * The arrays of an archive by name (without `.npy`); of each no more than its header is read. `name` stands for the file in
   * errors. @throws UserError where it is malformed.
   */
  static async open(source: ZipSource, name: string): Promise<Map<string, NpzItems>> {
    const arrays = new Map<string, NpzItems>();
    await soundly(name, async () => {
      for (const entry of zipEntries(source)) {
        const key = entry.name.replace(/\.npy$/, "");
        const where = `${name}: ${show(entry.name)}`;
        if (arrays.has(key)) throw new UserError(`${name} holds ${show(entry.name)} twice`);
        // DEFLATE shrinks to a 1032nd at best.
        if (entry.size > 1032 * entry.packed) {
          throw new Error(`${entry.name} has a size that no array of so few bytes has`);
        }
        const pass = new Pass(unpack(source, entry));
        const start = await pass.take(Math.min(mostHeader, entry.size));
        await pass.stop();
        arrays.set(key, new NpzItems(source, entry, npyHeader(start, where), where));
      }
    });
    return arrays;
  }

  get shape(): readonly number[] {
    return this.header.shape;
  }

  /** NumPy's code of the elements without the byte order. */
  get dtype(): string {
    return this.header.dtype;
  }

  /** An item of an array of single bytes. @throws DamagedArchive, also where items cannot be read one by one. */
  async read(index: number): Promise<Uint8Array> {
    const { source, entry, header: { offset, fortran }, where } = this;
    const [count, ...item] = this.shape;
    const size = valueCount(item);
    if (fortran) throw new DamagedArchive(`${where} is in Fortran's order; np.ascontiguousarray brings it into C's`);
    if (size > mostBytes) {
      throw new DamagedArchive(`${where}: an item has ${size} bytes, expected at most ${mostBytes}`);
    }
    if (entry.size !== offset + count * size) {
      throw new DamagedArchive(
        `${where}: [${this.shape}] takes ${count * size} bytes, there are ${entry.size - offset}`,
      );
    }
    return await soundly(where, async () => {
      const start = storedAt(source, entry);
      if (start !== undefined && index !== this.#next) return source.read(start + offset + index * size, size);
      if (!this.#pass || index < this.#next) {
        await this.#pass?.stop();
        this.#pass = new Pass(unpack(source, entry));
        await this.#pass.take(offset);
        this.#next = 0;
      }
      while (this.#next++ < index) await this.#pass.take(size);
      const bytes = await this.#pass.take(size);
      if (this.#next === count) await this.#pass.end();
      return bytes;
    });
  }

  /** The whole file, for `readNpy`. @throws UserError where the archive is damaged, or it has more than a gigabyte. */
  async whole(): Promise<Uint8Array> {
    if (this.entry.size > mostWhole) {
      throw new UserError(`${this.where} has ${this.entry.size} bytes, expected at most ${mostWhole}`);
    }
    return await soundly(this.where, async () => {
      const pass = new Pass(unpack(this.source, this.entry));
      const bytes = await pass.take(this.entry.size);
      await pass.end();
      return bytes;
    });
  }
}

/** Bytes that come in pieces, taken in parts of other sizes. */
class Pass {
  #rest: Uint8Array = new Uint8Array(0);
  constructor(private readonly pieces: AsyncGenerator<Uint8Array>) {}

  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.pieces.next();
        if (done) throw new Error("it ends too soon");
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, count - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return bytes;
  }

  /** Goes to the end, where the checksum is compared. */
  async end(): Promise<void> {
    while (!(await this.pieces.next()).done);
  }

  async stop(): Promise<void> {
    await this.pieces.return(undefined);
  }
}

/** @throws DamagedArchive with the place before the message, where `run` throws an Error that is no UserError. */
async function soundly<T>(place: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new DamagedArchive(`${place}: not a sound .npz (zip) file: ${(error as Error).message}`);
  }
}
