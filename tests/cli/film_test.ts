/** Films as a user asks for them: of a tiny network with a memory, and of one picture over several classifiers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeApng } from "fast-png";
import { readNpy } from "../../src/formats/npy.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { parse } from "../../src/cli/command.ts";
import { filmFile } from "../../src/cli/film/asked.ts";
import { classifierFolders } from "../../src/cli/film/classifiers.ts";
import { filmLearning } from "../../src/cli/film/learning.ts";
import { command } from "../../src/cli/synth.ts";
import { readRequest } from "../../src/cli/synth/request.ts";
import { even } from "../../src/cli/film/ffmpeg.ts";
import { smallVideo, videoNetwork } from "../synth/small_video.ts";
import { writeTinyModels, writeWeights } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** A folder with the tiny generator, a small video classifier, and a program called ffmpeg that notes what it was given. */
function filming(ffmpeg?: string) {
  const folder = temporaryFolder();
  const { generator, classifier } = writeTinyModels(folder.path);
  const video = join(folder.path, "video");
  Deno.mkdirSync(video);
  Deno.writeTextFileSync(join(video, "network.json"), JSON.stringify(videoNetwork));
  const stored = [...smallVideo().weights].map(([name, { shape, data }]) =>
    [name, fromFloat32(data, "F32", shape)] as const
  );
  Deno.writeFileSync(join(video, "weights.safetensors"), writeSafetensors(new Map(stored)));
  const path = join(folder.path, "bin");
  Deno.mkdirSync(path);
  if (ffmpeg !== undefined) {
    const notes = 'for last; do :; done\nprintf "%s\\n" "$@" > "${0%/*}/arguments"\ncat > "${0%/*}/stream"';
    const text = `#!/bin/sh\nif [ "$1" = -version ]; then exit 0; fi\n${notes}\n${ffmpeg}\n`;
    Deno.writeTextFileSync(join(path, "ffmpeg"), text, { mode: 0o755 });
  }
  return {
    ...folder,
    classifier,
    bin: path,
    env: { PATH: ffmpeg === undefined ? path : `${path}:/usr/bin:/bin` },
    out: join(folder.path, "out"),
    models: ["--generator", generator, "--classifier", video, "--iterations", "4"],
  };
}

Deno.test("a film: as MP4 by ffmpeg, in windows, in other orders; its picture's record makes it again as APNG", async () => {
  using run = filming(
    '{ cut -d" " -f5 /proc/$$/stat; echo $$; } > "${0%/*}/group" 2> /dev/null; printf film > "$last"',
  );
  const mp4 = join(run.out, "a.mp4");
  const codes = join(run.out, "codes.npy");
  const { env } = run;
  const asked = ["--unit", "3", "--frames", "6", "--window", "4", "--fps", "10", "--shuffle", "--save-code", codes];
  const { code, out, err } = await type(["synth", ...run.models, ...asked, "--out", mp4, "--json"], { env });
  assert.equal(code, 0, err);
  assert.match(err, /^plan: [\d,]+ bytes of GPU memory/m);
  const [picture] = JSON.parse(out).pictures;
  const { orders, activations } = picture.film;
  assert.deepEqual([picture.animation, picture.frames, picture.windowSize, picture.fps], [mp4, 6, 4, 10]);
  assert.deepEqual([activations.length, orders.shuffled.length, typeof orders.reversed], [6, 10, "number"]);
  assert.equal(orders.inOrder.toFixed(4), picture.result.activation.toFixed(4));
  assert.equal(Deno.readTextFileSync(mp4), "film");
  if (Deno.build.os === "linux") { // it leads a group of its own, which a terminal's Ctrl-C does not reach
    const [group, own] = Deno.readTextFileSync(join(run.bin, "group")).split("\n");
    assert.equal(group, own);
  }
  assert.deepEqual(readNpy(Deno.readFileSync(codes), codes).shape, [6, 6]);
  const stream = Deno.readFileSync(join(run.bin, "stream"));
  const still = join(run.out, "a.png");
  assert.match(
    Deno.readTextFileSync(join(run.bin, "arguments")),
    /\nrgb24\n-s\n10x10\n-r\n10\n[^]*\nyuv420p\n[^]*\+faststart\n/,
  );
  assert.equal(stream.length, 6 * 3 * 10 * 10);

  const again = join(run.out, "again.apng");
  const second = await type(["synth", "--from", still, ...run.models.slice(0, 4), "--out", again], { env });
  assert.equal(second.code, 0, second.err);
  const bytes = Deno.readFileSync(again);
  const { frames } = decodeApng(bytes);
  assert.deepEqual(frames.map(({ data }) => [...data]).flat(), [...stream]);
  assert.deepEqual(
    frames.map(({ delayNumber, delayDenominator }) => delayNumber / delayDenominator),
    Array(6).fill(0.1),
  );
  assert.equal(JSON.parse((await decodeImage(bytes, again)).text.phosphene).frames, 6);
});

Deno.test("a film: where ffmpeg fails, or has no place, that is told, and the film is kept", async () => {
  using run = filming("echo first >&2; echo no such encoder >&2; exit 1");
  const faults: [env: Record<string, string>, reason: string][] = [
    [{}, "no such encoder"],
    [{ TMPDIR: join(run.path, "gone") }, "it does not exist"],
  ];
  for (const [env, reason] of faults) {
    const { code, out, err } = await type(
      ["synth", ...run.models, "--unit", "1", "--frames", "2", "--film", "mp4", "--out", `${run.out}/`, "--quiet"],
      { env: { ...run.env, ...env } },
    );
    assert.equal(code, 1);
    const film = join(run.out, "answer_0001_0.apng");
    assert.equal(err, `synth: ffmpeg failed: ${reason}; the film is kept as ${film}\n`);
    assert.deepEqual(namesIn(run.out), ["answer_0001_0.apng", "answer_0001_0.png"]);
    assert.match(out, new RegExp(`${film}\\n$`));
    Deno.removeSync(run.out, { recursive: true });
  }
});

Deno.test("a film: odd sides become even for H.264 by the last pixels once more", () => {
  const rgb = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const twice = [1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9];
  assert.deepEqual(even({ width: 3, height: 1, rgb }), {
    width: 4,
    height: 2,
    rgb: Uint8Array.from([...twice, ...twice]),
  });
});

Deno.test("a film: Ctrl-C leaves what there is", async () => {
  using run = filming();
  const { code, err } = await type(
    [
      "synth",
      ...run.models.slice(0, 4),
      "--iterations",
      "100000",
      "--unit",
      "1",
      "--frames",
      "3",
      "--out",
      join(run.out, "a.gif"),
    ],
    { interruptAt: "iteration " },
  );
  assert.equal(code, 130, err);
  assert.match(err, /stopped after \d+ of 100000 iterations; saved as it was/);
  assert.deepEqual(namesIn(run.out), ["a.gif", "a.png"]);
});

Deno.test("a film: what cannot be is refused before the search", async () => {
  using run = filming();
  const mp4 = ["--unit", "1", "--frames", "2", "--film", "mp4", "--out", `${run.out}/`];
  const { code, out, err } = await type(["synth", ...run.models, ...mp4], { env: run.env });
  assert.deepEqual([code, out, namesIn(run.out)], [1, "", []]);
  assert.match(err, /^synth: MP4 is made by the program ffmpeg, which is not installed; .*\n$/);

  const refused = async (args: string[], message: RegExp, folders: string[] = []) => {
    const { values } = parse(command, ["--unit", "1", ...args]);
    await assert.rejects(async () => filmFile(values, await readRequest(values), folders), {
      name: "UserError",
      message,
    });
  };
  for (const frames of [[], ["--frames", "1"]]) {
    await refused(["--shuffle", ...frames], /^--shuffle tries the frames .*; --frames N makes one of several$/);
  }
  await refused(
    ["--out", "a.gif", "--classifier", "snap*"],
    /^--out a\.gif is for a film: .* several folders after --classifier, and snap\* fits snapshot_1 alone$/,
    ["snapshot_1"],
  );
  await refused(["--fps", "9"], /^--fps is for a film: /);
  await refused(["--out", "a.gif"], /^--out a\.gif is for a film: .* after --classifier$/);
  await refused(["--window", "2"], /^--window says how many frames /);
  await refused(["--frames", "2", "--animate", "gif"], /^--animate shows how a picture came to be; /);
  await refused(["--frames", "2", "--replace", "conv=a.wgsl"], /^--replace and --ways try kernels on single pictures/);
  await refused(["--frames", "2", "--film", "gif", "--out", "a.mp4"], /^--film gif, but --out a\.mp4 is mp4$/);
});

Deno.test("a film over classifiers: a frame each, named, in the order in which people count, and made again", async () => {
  using run = filming();
  const folders = [10, 1, 2].map((n) => {
    const folder = join(run.path, `snapshot_${n}`);
    Deno.mkdirSync(folder);
    Deno.copyFileSync(join(run.classifier, "network.json"), join(folder, "network.json"));
    writeWeights(
      folder,
      "classifier",
      (values) => values.forEach((value, i) => values[i] = value * (1 + n * (i % 3) / 20)),
    );
    return folder;
  });
  const film = join(run.out, "learning.apng");
  const [, generator] = run.models;
  const asked = ["--generator", generator, "--json", "--force", "--out", film];
  const first = await type([
    "synth",
    ...asked,
    "--unit",
    "1",
    "--iterations",
    "3",
    "--fps",
    "2",
    "--classifier",
    ...folders,
  ]);
  assert.equal(first.code, 0, first.err);
  const { animation, frames } = JSON.parse(first.out);
  const names = [1, 2, 10].map((n) => join(run.path, `snapshot_${n}`));
  assert.deepEqual([animation, frames.map(({ folder }: { folder: string }) => folder)], [film, names]);
  const bytes = Deno.readFileSync(film);
  const decoded = decodeApng(bytes);
  const record = JSON.parse((await decodeImage(bytes, film)).text.phosphene);
  assert.deepEqual([decoded.numberOfFrames, decoded.frames[0].delayNumber], [3, 500]);
  assert.ok(decoded.height > decoded.width, "what is below the picture names it");
  assert.deepEqual(record.classifiers.map(({ hash }: { hash: string }) => hash.length), [64, 64, 64]);

  const pattern = join(run.path, "snap*");
  const half = join(run.out, "half.png");
  const long = ["--unit", "1", "--iterations", "100000", "--fps", "2", "--classifier", pattern, "--out", half];
  const stopped = await type(["synth", "--generator", generator, ...long], { interruptAt: "snapshot_1 " });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /^stopped at 1 of 3 classifiers; saved as it was$/m);
  const { text, ...picture } = await decodeImage(Deno.readFileSync(half), half);
  const { result, classifiers, ...rest } = JSON.parse(text.phosphene);
  assert.deepEqual([result.frames, classifiers], [1, record.classifiers]);
  const shorter = { ...rest, result, classifiers, iterations: 3 };
  Deno.writeFileSync(half, encodePng(picture, { ...text, phosphene: JSON.stringify(shorter) }));
  const again = await type(["synth", "--from", half, ...asked, "--classifier", pattern]);
  assert.equal(again.code, 0, again.err);
  assert.match(again.err, /^warning: \S+half\.png was stopped at 1 of 3 classifiers; this is the whole film$/m);
  assert.deepEqual(Deno.readFileSync(film), bytes);
  const { values } = parse(command, ["--from", film, "--classifier", folders[0]]);
  const request = await readRequest(values);
  for (const given of [folders.slice(0, 1), folders.slice(0, 2)]) {
    assert.throws(
      () => filmFile(values, request, given),
      /learning\.apng is a film over 3 classifiers; expected them all after --classifier, got [12]$/,
    );
  }
  writeWeights(folders[0], "classifier"); // snapshot_10 is another now
  const other = await type(["synth", "--from", film, ...asked, "--classifier", pattern]);
  assert.match(
    other.err,
    /^synth: \S+learning\.apng was made with classifier tiny classifier, \S+snapshot_10 is another; /,
  );

  const { values: hidden } = parse(command, ["--layer", "conv9", "--unit", "1", ...asked.slice(0, 2)]);
  await assert.rejects(
    async () =>
      await filmLearning(hidden, await readRequest(hidden), { kind: "gif", fps: 2 }, { folders: names, scale: 1 }),
    { name: "UserError", message: `${names[0]}: no layer "conv9"; the layers are data, conv1, fc2, fc3` },
  );
  assert.throws(() => classifierFolders(names[0], [`${names[0]}/`]), /^UserError: --classifier gives \S+_1\/ twice$/);

  const last = join(names[2], "network.json");
  const network = JSON.parse(Deno.readTextFileSync(last));
  Deno.writeTextFileSync(last, JSON.stringify({ ...network, search: { iterations: 100000 } }));
  const quick = join(names[0], "network.json");
  Deno.writeTextFileSync(quick, JSON.stringify({ ...network, search: { iterations: 1 } }));
  const ended = await type(
    ["synth", ...asked, "--unit", "1", "--classifier", names[0], names[2]],
    { interruptAt: "snapshot_10 " },
  );
  assert.deepEqual([ended.code, JSON.parse(ended.out).aborted, JSON.parse(ended.out).frames.length], [130, true, 1]);
  assert.match(ended.err, /^stopped at 2 of 2 classifiers, whose frame is left out; saved as it was$/m);
});
