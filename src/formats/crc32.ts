/** CRC-32 as PNG and zip use it, four bytes at a time: table k is for a byte with k others behind it. */

const tables = [
  Int32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  }),
];
for (let k = 0; k < 3; k++) tables.push(tables[k].map((value) => value >>> 8 ^ tables[0][value & 255]));

/** The CRC-32 of bytes that come after others, whose CRC-32 is `before`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3] = tables;
  const whole = bytes.length - 3;
  let value = ~before;
  let i = 0;
  for (; i < whole; i += 4) {
    value ^= bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24;
    value = t3[value & 255] ^ t2[value >>> 8 & 255] ^ t1[value >>> 16 & 255] ^ t0[value >>> 24];
  }
  for (; i < bytes.length; i++) value = t0[(value ^ bytes[i]) & 255] ^ value >>> 8;
  return ~value >>> 0;
}
