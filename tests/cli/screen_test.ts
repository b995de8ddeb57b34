import assert from "node:assert/strict";
import { duration, progress } from "../../src/cli/progress.ts";
import { halfBlocks, showsColours } from "../../src/cli/terminal.ts";

/** A screen that remembers, and whose clock moves on by `step` milliseconds at each look. */
function fakeScreen(columns: number | undefined, step: number) {
  let now = 0;
  const written: string[] = [];
  return { written, columns, write: (text: string) => void written.push(text), now: () => now += step };
}

Deno.test("a log gets the start and every tenth part", () => {
  const screen = fakeScreen(undefined, 100);
  const bar = progress("iteration", screen);
  for (let done = 1; done <= 200; done++) bar.show({ done, total: 200, note: `activation ${done}` });
  bar.end();
  assert.equal(screen.written.length, 11);
  assert.equal(screen.written[0], "iteration   1/200  activation 1\n");
  assert.equal(screen.written[1], "iteration  20/200  activation 20  18 s left\n");
  assert.equal(screen.written.at(-1), "iteration 200/200  activation 200\n");
});

Deno.test("a terminal gets one line that is drawn again, no longer than the terminal is wide", () => {
  const screen = fakeScreen(40, 30);
  const bar = progress("iteration", screen);
  for (let done = 1; done <= 20; done++) bar.show({ done, total: 20, note: "activation 1.23  bell pepper" });
  assert.equal(screen.written.length, 8); // every third, since 80 ms must have passed, and the last
  for (const text of screen.written) {
    assert.ok(text.startsWith("\r\x1b[K"));
    assert.ok(text.length - 4 < 40);
  }
  bar.end();
  assert.equal(screen.written.at(-1), "\r\x1b[K");
});

Deno.test("durations read as people say them", () => {
  assert.deepEqual([0, 900, 59_001, 65_000, 4_200_000].map(duration), [
    "0 s",
    "1 s",
    "1 min 00 s",
    "1 min 05 s",
    "1 h 10 min",
  ]);
});

Deno.test("half blocks: two pixels a character, and a picture that is too wide shrinks", () => {
  const rgb = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.equal(
    halfBlocks({ width: 2, height: 2, rgb }, 2),
    "\x1b[38;2;1;2;3m\x1b[48;2;7;8;9m▀\x1b[38;2;4;5;6m\x1b[48;2;10;11;12m▀\x1b[0m\n",
  );
  assert.equal(halfBlocks({ width: 2, height: 2, rgb }, 1), "\x1b[38;2;6;7;8m▀\x1b[0m\n");
});

Deno.test("colours are shown where the terminal says so and nobody objects", () => {
  const able = { isTerminal: true, colorterm: "truecolor", term: "xterm-256color" };
  assert.ok(showsColours(able));
  assert.ok(showsColours({ ...able, colorterm: "24bit" }));
  assert.ok(!showsColours({ ...able, isTerminal: false }));
  assert.ok(!showsColours({ ...able, colorterm: undefined }));
  assert.ok(!showsColours({ ...able, noColor: "1" }));
  assert.ok(!showsColours({ ...able, term: "dumb" }));
});
