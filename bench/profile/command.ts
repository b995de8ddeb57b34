/** `deno task bench profile`: where the time of a search or a network goes, dispatch by dispatch. */
import { type Command, print } from "../../src/cli/command.ts";
import { adapterOption, openAdapter } from "../../src/cli/defaults.ts";
import { ownPlanning, readOwn } from "../../src/cli/own_kernels.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { chooser } from "../../src/cli/tuned.ts";
import { oneOf } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { type Verdict, verdictLine } from "../../src/lab/judge.ts";
import { checkDumpFolder, dumpedTexts, dumpOption, writeDump } from "../dump.ts";
import { passesOf, passesOption, samplePasses } from "../passes/passes.ts";
import { besidePeak, jsonOptions, openFiles, peakLine, saveFiles } from "../report.ts";
import { loadRunning } from "../running.ts";
import { runningOptions, wantedOf } from "../running_options.ts";
import { type Method, profile } from "./measure.ts";
import { rooflineSvg } from "./roofline.ts";
import { reportOf } from "./report.ts";
import { profileLines } from "./table.ts";

const options = {
  adapter: adapterOption,
  ...runningOptions,
  by: { value: "METHOD", help: "timestamps (where the adapter has them) or repetition of each dispatch" },
  roofline: { value: "FILE.svg", help: "also draws GFLOP/s over FLOP a byte, under the adapter's roof" },
  dump: dumpOption,
  passes: passesOption,
  ...jsonOptions,
};

/** The command. */
export const profileCommand: Command<typeof options> = {
  name: "bench profile",
  summary:
    "Measures every dispatch of a search's iteration, or of a network forward and back, where it stands in the run: its way,\n" +
    "its time, and its share of what arithmetic or memory allows at the adapter's peak. What the dispatches do not come to\n" +
    'is a row of its own, "left over"; where they take longer one by one, shares are of their sum.',
  operands: "[synth]",
  options,
  examples: [
    ["deno task bench profile", "an iteration of the search with the embedded pair"],
    [
      "deno task bench profile --model models/caffenet64 --batch 8",
      "one network, forward and back, eight items at once",
    ],
    [
      "deno task bench profile --network resnet50 --roofline resnet50.svg",
      "a published network's shapes, drawn as a roofline",
    ],
    ["deno task bench profile --replace conv3=mine.wgsl", "with a kernel of your own: see docs/kernels.md"],
  ],
  async run(values, operands) {
    const [what = "synth", extra] = operands;
    if (what !== "synth" || extra !== undefined) {
      throw new UserError(
        `bench profile measures "synth" or what --model or --network names; got "${operands.join(" ")}"`,
      );
    }
    const { wanted, weights, arithmetic } = wantedOf(values);
    const method = oneOf<Method>("--by", values.by, ["timestamps", "repetition"]);
    if (operands.length > 0 && (wanted.model ?? wanted.network) !== undefined) {
      throw new UserError('"synth" is the search; --model and --network name something else');
    }
    const passes = passesOf(values);
    const { roofline, dump, force } = values;
    if (roofline && !/\.svg$/i.test(roofline)) {
      throw new UserError(`--roofline draws SVG and expects a name that ends in .svg, got "${roofline}"`);
    }
    using outputs = openFiles(values, roofline ? [roofline] : []);
    if (dump) checkDumpFolder(dump, force);
    const own = await readOwn(values);
    const verdicts: Verdict[] = [];
    using device = await openAdapter(values.adapter);
    if (method === "timestamps" && !device.caps.timestamps) {
      throw new UserError(`${device.name} has no timestamps; --by repetition`);
    }
    const choose = chooser(device, values.tuned);
    const planning = ownPlanning(device, own, (_, verdict) => verdicts.push(verdict));
    const how = { weights, arithmetic, choose, ...planning };
    const open = await loadRunning(wanted);
    const running = await open(device, how);
    if (dump) writeDump(dumpedTexts(device, running.plan.kernels), dump, force);
    const line = progress("round", stderrScreen(false));
    const { figures, peak, header } = await besidePeak(
      device,
      () =>
        profile(device, running, method, (done, total) => line.show({ done, total, note: "" })).finally(() => {
          line.end();
          running[Symbol.dispose](); // samples are of others, one at a time
        }),
    );
    print(peakLine(device, peak));
    profileLines(figures, peak).forEach(print);
    verdicts.map(verdictLine).forEach(print);
    const drawn = new Map(roofline ? [[roofline, rooflineSvg(figures, peak, device.name)]] : []);
    const report = {
      ...header,
      ...{ batch: wanted.batch, arithmetic, weights, own: verdicts.length > 0 ? verdicts : undefined },
      ...reportOf(figures, peak),
    };
    const samples = values.json ? await samplePasses({ benchmark: "profile", values }, passes) : undefined;
    saveFiles(outputs, values, { ...report, ...samples }, drawn);
  },
};
