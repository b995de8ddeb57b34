/** Bytes as text in base64, in engines without `Uint8Array.fromBase64` too. */

/** Characters that are put together at a time: calls take so many arguments. */
const PIECE = 1 << 14;

/** The text. */
export function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  return btoa(pieces.join(""));
}

/** The bytes. Throws Error where the text is none. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
