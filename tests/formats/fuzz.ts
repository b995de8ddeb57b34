/**
 * Seeded damage to a file: whatever its bytes become, a reader must give a value or a UserError, soon and in little memory.
 */
import assert from "node:assert/strict";
import { joinBytes } from "../../src/formats/bytes.ts";
import { UserError } from "../../src/formats/user_error.ts";

/** Integers below n. */
export type Integers = (n: number) => number;

/** Makes a damaged copy of a file. */
export type Damage = (file: Uint8Array, random: Integers) => Uint8Array;

/** What is done to the copies: random bytes and pieces with seed 1 unless given. */
export interface FuzzOptions {
  damage?: Damage;
  seed?: number;
}

/** Reads `rounds` damaged copies of `file`. Throws AssertionError where `read` fails otherwise than with a UserError. */
export function fuzz(
  file: Uint8Array,
  rounds: number,
  read: (damaged: Uint8Array) => unknown,
  options?: FuzzOptions,
): void {
  for (const { damaged, round } of copies(file, rounds, options)) {
    try {
      read(damaged);
    } catch (error) {
      checkError(error, round);
    }
  }
}

/** As `fuzz`, where reading takes promises. */
export async function fuzzAsync(
  file: Uint8Array,
  rounds: number,
  read: (damaged: Uint8Array) => Promise<unknown>,
  options?: FuzzOptions,
): Promise<void> {
  for (const { damaged, round } of copies(file, rounds, options)) {
    try {
      await read(damaged);
    } catch (error) {
      checkError(error, round);
    }
  }
}

/** How often a copy that took long is read again: a busy machine takes a second away once, not always. */
const TRIES = 3;

/** Damaged copies; whoever asks for the next has spent little time and memory on the last. */
function* copies(file: Uint8Array, rounds: number, { damage = damageBytes, seed = 1 }: FuzzOptions = {}) {
  const random = randomIntegers(seed);
  for (let n = 0; n < rounds; n++) {
    const damaged = damage(file, random);
    const round = `seed ${seed}, round ${n}`;
    let slow = 0;
    do {
      const memory = Deno.memoryUsage();
      const start = performance.now();
      yield { damaged, round };
      const { external, heapUsed } = Deno.memoryUsage();
      assert.ok(external - memory.external < 200e6, `${round} took over 200 MB`);
      assert.ok(heapUsed - memory.heapUsed < 400e6, `${round} took over 400 MB of objects`);
      slow = performance.now() - start < 1000 ? 0 : slow + 1;
      assert.ok(slow < TRIES, `${round} took over a second, ${TRIES} times`);
    } while (slow > 0);
  }
}

function checkError(error: unknown, round: string): void {
  assert.ok(error instanceof UserError, `${round}: ${(error as Error)?.stack}`);
  assert.ok(error.message.length < 800 && !/\p{Cc}/u.test(error.message), `${round}: ${error.message}`);
}

/** Integers below n from a seed (mulberry32). */
export function randomIntegers(seed: number): Integers {
  return (n) => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * n);
  };
}

const harshBytes = [0, 1, 0x7f, 0x80, 0xff];

/** Up to three faults of bytes or pieces. */
export const damageBytes: Damage = (file, random) => {
  let bytes = new Uint8Array(file);
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(Math.max(1, bytes.length));
    switch (random(6)) {
      case 0: // cut the end off
        bytes = bytes.slice(0, at);
        break;
      case 1: // cut a piece out
        bytes = joinBytes([bytes.subarray(0, at), bytes.subarray(at + 1 + random(8))]);
        break;
      case 2: // double a piece
        bytes = joinBytes([bytes.subarray(0, at + random(64)), bytes.subarray(at)]);
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
};
