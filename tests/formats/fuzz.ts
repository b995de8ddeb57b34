/**
 * Seeded damage to a file: whatever its bytes become, a reader must give a value or a UserError, soon and in little memory.
 */
import assert from "node:assert/strict";
import { UserError } from "../../src/formats/user_error.ts";

/** Reads `rounds` damaged copies of `file`. Throws AssertionError where `read` fails otherwise than with a UserError. */
export function fuzz(file: Uint8Array, rounds: number, read: (damaged: Uint8Array) => unknown): void {
  const random = randomIntegers(1);
  for (let round = 0; round < rounds; round++) {
    const damaged = damage(file, random);
    const memory = Deno.memoryUsage().external;
    const start = performance.now();
    try {
      read(damaged);
    } catch (error) {
      assert.ok(error instanceof UserError, `round ${round}: ${(error as Error)?.stack}`);
      assert.ok(error.message.length < 400 && !error.message.includes("\n"), `round ${round}: ${error.message}`);
    }
    assert.ok(performance.now() - start < 1000, `round ${round} took over a second`);
    assert.ok(Deno.memoryUsage().external - memory < 200e6, `round ${round} took over 200 MB`);
  }
}

/** Integers below n from a seed (mulberry32). */
export function randomIntegers(seed: number): (n: number) => number {
  return (n) => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * n);
  };
}

const harshBytes = [0, 1, 0x7f, 0x80, 0xff];

function damage(file: Uint8Array, random: (n: number) => number): Uint8Array {
  let bytes = file.slice();
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(Math.max(1, bytes.length));
    switch (random(6)) {
      case 0: // cut the end off
        bytes = bytes.slice(0, at);
        break;
      case 1: // cut a piece out
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random(8))]);
        break;
      case 2: // double a piece
        bytes = Uint8Array.from([...bytes.subarray(0, at + random(64)), ...bytes.subarray(at)]);
        break;
      case 3: // a whole word of one harsh value
        bytes.fill(harshBytes[random(harshBytes.length)], at, at + 4);
        break;
      case 4:
        bytes[at] = random(256);
        break;
      case 5: // one digit or bit off
        bytes[at] ^= 1 << random(8);
    }
  }
  return bytes;
}
