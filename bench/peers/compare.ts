/**
 * `bench synth --peers`: the same search in other libraries, in turns with ours. Of each library the fastest backend counts
 * whose gradient is right.
 */
import { UserError } from "../../src/formats/user_error.ts";
import type { Device } from "../../src/gpu/device.ts";
import { Climb } from "../../src/synth/climb.ts";
import type { How } from "../running.ts";
import { milliseconds, searches } from "../synth/measure.ts";
import type { SearchSubject } from "../synth/search.ts";
import type { Folders } from "../synth/subject.ts";
import { type Backend, type PeerName, peers } from "./packages.ts";
import { PeerProcess } from "./process.ts";
import { errorOf, exactGradient, ownGradient, stepped } from "./reference.ts";

/** Turns of each, and milliseconds that one of them aims at: on a GPU long enough for its clock to rise to what it keeps. */
const TURNS = 5;
const TURN_MS = { software: 200, gpu: 500 };

/** Iterations of a trial at most: engines compile what they have run before. */
const TRIAL_ITERATIONS = 10;
const TRIAL_MS = 500;

/**
 * How far a gradient may be off. Rounding alone leaves 1e-6; a ReLU or a maximum whose two sides are closer than that may go
 * the other way, which a few of millions do.
 */
const TOLERANCE = 5e-3;

/** Milliseconds for the models' and packages' coming, compilation and the first iterations; less once another backend took less. */
const LIMIT_MS = 300_000;
const LEAST_LIMIT_MS = 30_000;
const TIMES_AS_LONG = 5;

/** A backend that was tried: how far off its gradient is and how long an iteration takes, or why it does not count. */
export interface Trial {
  backend: string;
  gradientError?: number;
  iterationMs?: number;
  reason?: string;
}

/** One turn after another: milliseconds of an iteration. */
export interface Turn {
  ours: number;
  peer: number;
}

/** What was found of a peer. */
export interface PeerFigures {
  name: string;
  version: string;
  packages: string[];
  tried: Trial[];
  /** The backend that was timed, unless there is none. */
  backend?: string;
  /** Of its best turn. */
  iterationMs?: number;
  /** Of its best turn to our best; and the smallest and largest ratio of two turns that followed one another. */
  ratio?: { best: number; least: number; most: number };
  turns: Turn[];
}

/** All of them. */
export interface Comparison {
  /** How far our own gradient in floats is off that in two floats. */
  gradientError: number;
  /** Of our best turn. */
  iterationMs: number;
  peers: PeerFigures[];
}

/** How often a comparison tells what is going on. */
export const steps = Object.values(peers).reduce((sum, { backends }) => sum + backends.length + TURNS, 0);

/** What is compared, and how. */
export interface Contest {
  folders: Folders;
  subject: SearchSubject;
  how: How;
  /** Whether packages that are not here may be fetched. */
  fetches: boolean;
  /** Told what is going on. */
  note: (text: string) => void;
}

/** A peer in the contest: its program, and how many iterations a turn has. */
interface Contestant {
  figures: PeerFigures;
  process?: PeerProcess;
  times: number;
}

/** Compares with every peer. */
export async function comparePeers(device: Device, contest: Contest): Promise<Comparison> {
  const { subject, how, note } = contest;
  const exact = await exactGradient(device, subject);
  if (exact.every((value) => value === 0)) {
    throw new UserError("the unit's gradient is zero where the search starts: there is nothing to compare with peers");
  }
  using climb = await Climb.create(device, subject.joined, subject.settings, how);
  const submit = searches(climb, subject.settings.iterations);
  const run = async (times: number) => {
    const started = performance.now();
    submit(times);
    await device.finish();
    return (performance.now() - started) / times;
  };
  const gradientError = errorOf(await ownGradient(climb), exact);
  const contestants: Contestant[] = [];
  try {
    for (const name of Object.keys(peers) as PeerName[]) contestants.push(await admit(name, device, contest, exact));
    const times = turnOf(await run(1), device);
    const ours: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      for (const contestant of contestants) {
        if (!contestant.process) continue;
        note(`turn ${turn + 1} of ${TURNS}: ${contestant.figures.name}`);
        const own = await turnWarm(run, times);
        ours.push(own);
        await peerTurn(contestant, own);
      }
    }
    return {
      gradientError,
      iterationMs: ours.length > 0 ? Math.min(...ours) : await run(times),
      peers: contestants.map(({ figures }) => withRatio(figures)),
    };
  } finally {
    for (const { process } of contestants) process?.[Symbol.dispose]();
  }
}

/** Tries a peer's backends and leaves the fastest one running. */
async function admit(peer: PeerName, device: Device, contest: Contest, exact: Float32Array): Promise<Contestant> {
  const { name, version, packages, backends } = peers[peer];
  const figures: PeerFigures = { name, version, packages: Object.values(packages), tried: [], turns: [] };
  let best: { process: PeerProcess; ms: number; backend: string; tookMs: number } | undefined;
  for (const backend of backends) {
    contest.note(`${name}, ${backend}`);
    const started = performance.now();
    const limit = best ? Math.max(LEAST_LIMIT_MS, TIMES_AS_LONG * best.tookMs) : LIMIT_MS;
    const process = PeerProcess.start(
      { peer, backend, folders: contest.folders, batch: contest.subject.batch },
      contest.fetches,
    );
    const trial = await tryOut(process, backend, contest.subject, exact, limit);
    figures.tried.push(trial);
    const { iterationMs: ms } = trial;
    if (ms === undefined || best && best.ms <= ms) {
      process[Symbol.dispose]();
      continue;
    }
    best?.process[Symbol.dispose]();
    best = { process, ms, backend: trial.backend, tookMs: performance.now() - started };
  }
  return {
    figures: { ...figures, backend: best?.backend },
    process: best?.process,
    times: best ? turnOf(best.ms, device) : 0,
  };
}

/** Checks the gradient and the step of a peer, then times an iteration. */
async function tryOut(
  process: PeerProcess,
  backend: Backend,
  subject: SearchSubject,
  exact: Float32Array,
  limit: number,
): Promise<Trial> {
  try {
    await process.opened(limit);
    const { values, backend: inWords } = await process.ask({ gradient: true }, limit);
    const gradientError = errorOf(values, exact);
    const trial = { backend: inWords, gradientError };
    if (!(gradientError <= TOLERANCE)) {
      return { ...trial, reason: `its gradient ${offBy(gradientError)}` };
    }
    const first = await process.ask({ climb: 1 }, limit);
    const stepError = errorOf(first.values, stepped(values, subject));
    if (!(stepError <= TOLERANCE)) return { ...trial, reason: `its first step ${offBy(stepError)}` };
    let iterationMs = first.ms;
    let spent = 0;
    for (let done = 0; done < TRIAL_ITERATIONS && spent < TRIAL_MS; done++) {
      const { ms } = await process.ask({ climb: 1 }, limit);
      iterationMs = Math.min(iterationMs, ms);
      spent += ms;
    }
    return { ...trial, iterationMs };
  } catch (error) {
    return { backend, reason: (error as Error).message };
  }
}

/** A peer's turn after ours. One that fails now has no ratio. */
async function peerTurn(contestant: Contestant, ours: number): Promise<void> {
  const { figures, process, times } = contestant;
  try {
    const peer = await turnWarm(async (n) => (await process!.ask({ climb: n }, LIMIT_MS)).ms / n, times);
    figures.turns.push({ ours, peer });
  } catch (error) {
    process![Symbol.dispose]();
    figures.tried.push({ backend: figures.backend!, reason: (error as Error).message });
    contestant.process = figures.backend = undefined;
    figures.turns = [];
  }
}

/** How many iterations take a turn's time. */
const turnOf = (iterationMs: number, { caps }: Device): number =>
  Math.min(200, Math.max(1, Math.round(TURN_MS[caps.software ? "software" : "gpu"] / iterationMs)));

/** A turn after a quarter of it that does not count: what ran before is out of the caches, and a GPU's clock has fallen. */
async function turnWarm(run: (times: number) => Promise<number>, times: number): Promise<number> {
  if (times > 1) await run(Math.ceil(times / 4));
  return await run(times);
}

function withRatio(figures: PeerFigures): PeerFigures {
  const { turns } = figures;
  if (turns.length === 0) return figures;
  const ratios = turns.map(({ ours, peer }) => peer / ours);
  const [ours, peer] = [turns.map(({ ours }) => ours), turns.map(({ peer }) => peer)].map((ms) => Math.min(...ms));
  return {
    ...figures,
    iterationMs: peer,
    ratio: { best: peer / ours, least: Math.min(...ratios), most: Math.max(...ratios) },
  };
}

const offBy = (share: number): string =>
  Number.isNaN(share) ? "is not a number" : `is off by ${digits(100 * share, 2)} %`;

const digits = (value: number, count: number): string => `${Number(value.toPrecision(count))}`;

/** The comparison as text. */
export function peerLines({ iterationMs, peers }: Comparison): string[] {
  const off = (error?: number) => `gradient off by ${error?.toExponential(0)}`;
  return [
    `in turns with peers, whose gradients are compared with ours: ${milliseconds(iterationMs)} an iteration`,
    ...peers.flatMap(({ name, version, tried, backend, iterationMs, ratio, turns }) => {
      const counted = tried.find((trial) => trial.backend === backend);
      const others = tried.filter((trial) => trial !== counted).map(({ backend, iterationMs, reason }) =>
        reason ? `  ${backend} does not count: ${reason}` : `  ${backend}: ${milliseconds(iterationMs!)}`
      );
      if (!ratio) return [`${name} ${version}: no ratio`, ...others];
      const range = `${digits(ratio.least, 2)} to ${digits(ratio.most, 2)} in ${turns.length} turns`;
      return [
        `${name} ${version}, ${backend}: ${milliseconds(iterationMs!)}, ${digits(ratio.best, 3)} times as long ` +
        `(${range}), ${off(counted?.gradientError)}`,
        ...others,
      ];
    }),
  ];
}
