/** Bytes one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Gives the memory of bytes back now and not at some later collection, where the engine can: they are gone then. */
export function giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer?.(0);
}
