/** Caffe's binary files as Caffe would write them, in each of its generations. */
import { bytesField, join, text, varint } from "./protobuf.ts";

/** A blob: float unless `double`; packed unless `loose`; its shape as four numbers where `legacy`. */
export interface Blob {
  shape: number[];
  data: ArrayLike<number>;
  double?: boolean;
  loose?: boolean;
  legacy?: boolean;
}

/** A blob of float values in the newest form. */
export const blob = (shape: number[], data: ArrayLike<number>): Blob => ({ shape, data });

/** The generations' names: `layer`, `layers`, and `layers { layer }`. */
export type Generation = "v2" | "v1" | "v0";

/** A caffemodel of these layers' blobs. */
export function caffemodel(layers: Record<string, Blob[]>, generation: Generation = "v2"): Uint8Array {
  return join(
    bytesField(1, text("net")),
    ...Object.entries(layers).map(([name, blobs]) => {
      const written = blobs.map(blobProto);
      switch (generation) {
        case "v2":
          return bytesField(100, join(bytesField(1, text(name)), ...written.map((bytes) => bytesField(7, bytes))));
        case "v1":
          return bytesField(2, join(...written.map((bytes) => bytesField(6, bytes)), bytesField(4, text(name))));
        case "v0": {
          const inner = join(bytesField(1, text(name)), ...written.map((bytes) => bytesField(50, bytes)));
          return bytesField(2, join(bytesField(1, inner), bytesField(3, text(name))));
        }
      }
    }),
  );
}

/** A BlobProto: also what a mean file is. */
export function blobProto({ shape, data, double, loose, legacy }: Blob): Uint8Array {
  const four = [...Array(4 - Math.min(4, shape.length)).fill(1), ...shape];
  const dims = legacy
    ? join(...four.map((n, i) => join(varint((i + 1) << 3), varint(n))))
    : bytesField(7, bytesField(1, join(...shape.map(varint))));
  const values = new Uint8Array(double ? Float64Array.from(data).buffer : Float32Array.from(data).buffer);
  const number = double ? 8 : 5;
  const size = double ? 8 : 4;
  const pieces = () =>
    Array.from(
      { length: data.length },
      (_, i) => join(varint(number << 3 | (double ? 1 : 5)), values.subarray(i * size, (i + 1) * size)),
    );
  return join(dims, ...(loose ? pieces() : [bytesField(number, values)]));
}
