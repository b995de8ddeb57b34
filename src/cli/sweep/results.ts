/**
 * The results of a sweep: a folder with a picture each, and files of JSON lines. The first line says whose results they are,
 * every other one is a picture's, written when the picture is on the disk. A line that was cut off is not there.
 */
import { join, resolve } from "node:path";
import { parseJson } from "../../formats/json.ts";
import { UserError } from "../../formats/user_error.ts";
import type { Settings } from "../../mod.ts";
import { isFolder, readBytes, readBytesSync, reasonOf } from "../files.ts";
import { Rescue } from "../outputs/rescue.ts";
import { reserve } from "../outputs/reserve.ts";
import { checkPlace, makeFolders, tryRemove, writeFiles } from "../outputs/place.ts";
import { lstatOf, sweep } from "../outputs/temporary.ts";
import { hashOf, type Plan } from "./plan.ts";

/** What is told of a picture. */
export interface Line {
  /** Its number in the plan. */
  picture: number;
  /** Its file in the folder. */
  file: string;
  /** What it climbs: the names of its units, or the target. */
  title: string;
  layer?: string;
  units?: number[];
  target: string;
  seed: number;
  settings: Settings;
  activation: number;
  /** The classifier's five strongest units on it, by the activations of this layer: logits, or what a softmax makes of them. */
  top: Seen[];
  topOf: string;
  /** Whether the classifier ranks its unit first; nothing where the target is no unit of its output. */
  recognised?: boolean;
  /** The same of a classifier that the search never saw. */
  judge?: { top: Seen[]; topOf: string; recognised?: boolean };
  /** The activation, at most at so many moments as a curve shows. */
  trace: number[];
  zeroGradient: boolean;
  adapter: string;
  /** The command that makes it by itself, in which rounding may lead elsewhere, and its options that name the models. */
  command: string;
  named: string;
  /** Of the file. */
  sha256: string;
}

/** A unit as a classifier sees it in a picture. */
export interface Seen {
  unit: number;
  name: string;
  activation: number;
}

/** The first line of a file. */
interface Heading {
  phosphene: "sweep";
  plan: string;
  pictures: number;
  /** What the plan was asked for. */
  asked: Plan["asked"];
}

/** The file of the report in the folder. */
export const reportName = "report.html";

/** The results of a whole run, of a share, and of a worker at a queue. */
const filePattern = /^results(-\d+-of-\d+|-[\da-f]{8})?\.jsonl$/;

/** A picture's name in the folder. */
export const pictureName = (number: number): string => join("pictures", `${String(number).padStart(5, "0")}.png`);

/** The file that a run adds to. It is this run's alone until it is disposed of. */
export class Results implements Disposable {
  readonly #stack = new DisposableStack();
  readonly #file: string;
  /** Whether an earlier run began, or another: what has the pictures' names is this sweep's then. */
  #begun: boolean;
  /** Pictures that this run has added. */
  added = 0;

  /**
   * Opens the results of a plan.
   * @throws UserError where the folder holds another plan's, another run is at work on the file, or nothing can be written.
   */
  constructor(readonly folder: string, name: string, private readonly plan: Plan) {
    const path = join(folder, name);
    const pictures = join(folder, "pictures");
    try {
      for (const made of makeFolders(pictures)) this.#stack.defer(() => tryRemove(made));
      if (!isFolder(pictures)) throw new UserError(`${pictures} is no folder; --out names another one`);
      sweep(pictures); // of what a killed run left
      this.#file = join(Deno.realPathSync(folder), name);
      this.#stack.use(reserve(Deno.realPathSync(folder), new Map([[name, path]])));
      checkPlace(this.#file, { force: true, name: path });
      const { whole } = readResults([folder], plan);
      const length = whole.get(path);
      this.#begun = whole.size > 0;
      this.#check(reportName);
      if (length === undefined) {
        const heading: Heading = { phosphene: "sweep", plan: plan.hash, pictures: plan.pictures, asked: plan.asked };
        writeFiles(new Map([[this.#file, encode([heading])]]), { force: false });
      } else Deno.truncateSync(this.#file, length);
    } catch (error) {
      this.#stack.dispose();
      if (error instanceof UserError) throw error;
      throw new UserError(`nothing can be written in ${folder}: ${reasonOf(error)}`);
    }
  }

  /** Makes sure that pictures can be written. @throws UserError where something else has the name of one. */
  checkPictures(numbers: Iterable<number>): void {
    for (const number of numbers) this.#check(pictureName(number));
  }

  /** @throws UserError where there is what is not this sweep's. */
  #check(name: string): void {
    const path = join(this.folder, name);
    const found = lstatOf(path);
    if (!found || this.#begun && found.isFile) return;
    throw new UserError(`${path} ${found.isFile ? "exists" : "is no ordinary file"}; --out names another folder`);
  }

  /** The numbers of the pictures that are there as they were made. */
  async made(): Promise<Set<number>> {
    const read = readResults([this.folder], this.plan);
    const made = new Set<number>();
    for (const line of read.lines) if (await pictureBytes(read, line)) made.add(line.picture);
    return made;
  }

  /** Adds pictures. @throws UserError that says where they are, if not where they belong. */
  add(pictures: ReadonlyMap<string, Uint8Array>, lines: readonly Line[]): void {
    const rescue = new Rescue();
    this.#begun ||= namesOf(this.folder).filter((name) => filePattern.test(name)).length > 1;
    const saved = lines.filter(({ file }) => {
      const path = join(this.folder, file);
      const bytes = pictures.get(file)!;
      try {
        writeFiles(new Map([[path, bytes]]), { force: this.#begun });
        return true;
      } catch (error) {
        rescue.save(path, bytes, resolve(path), error);
        return false;
      }
    });
    try {
      this.#append(saved);
    } catch (error) {
      rescue.tell();
      throw error;
    }
    rescue.finish();
  }

  /** Writes lines behind what is there, all or none. @throws UserError where that cannot be. */
  #append(lines: readonly Line[]): void {
    try {
      using file = Deno.openSync(this.#file, { append: true });
      const { size } = file.statSync();
      const bytes = encode(lines);
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
        file.syncDataSync();
      } catch (error) {
        file.truncateSync(size);
        throw error;
      }
      this.added += lines.length;
    } catch (error) {
      throw new UserError(`${this.#file} cannot be written: ${reasonOf(error)}`);
    }
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

const encode = (lines: readonly object[]): Uint8Array =>
  new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

/** The lines of folders, each picture's once, in their order. */
export interface Read {
  lines: Line[];
  /** The folder that each picture is in, by its number. */
  folders: Map<number, string>;
  /** Pictures of the whole plan. */
  pictures: number;
  /** Bytes of each file up to its last whole line. */
  whole: Map<string, number>;
}

/** Reads all results of folders. @throws UserError where they are of several plans, or of another than `wanted`. */
export function readResults(folders: readonly string[], wanted?: Pick<Plan, "hash" | "asked">): Read {
  const advice = wanted ? "--out names another folder" : "one report is of one sweep";
  const read: Read = { lines: [], folders: new Map(), pictures: 0, whole: new Map() };
  const found = new Map<number, Line>();
  let first = wanted && { ...wanted, where: "here" };
  for (const folder of folders) {
    for (const name of namesOf(folder).filter((name) => filePattern.test(name)).sort()) {
      const path = join(folder, name);
      const text = new TextDecoder().decode(readBytesSync(path));
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      const [heading, ...rest] = whole.split("\n").slice(0, -1);
      const { phosphene, plan, pictures, asked = {} } = objectOf(heading) as Partial<Heading>;
      if (phosphene !== "sweep" || typeof plan !== "string" || typeof pictures !== "number" || !isTexts(asked)) {
        throw new UserError(`${path} holds no results of a sweep; ${advice}`);
      }
      first ??= { hash: plan, asked, where: `in ${path}` };
      if (plan !== first.hash) {
        throw new UserError(`${path} holds the results of another plan: ${difference(asked, first)}; ${advice}`);
      }
      read.pictures = pictures;
      read.whole.set(path, new TextEncoder().encode(whole).length);
      for (const [at, text] of rest.entries()) {
        const line = objectOf(text) as unknown as Line;
        if (!isLine(line, pictures)) {
          throw new UserError(`${path}: line ${at + 2} is damaged; without it the sweep goes on`);
        }
        found.set(line.picture, line); // what was made again stands behind what it replaces
        read.folders.set(line.picture, folder);
      }
    }
  }
  read.lines = [...found.values()].sort((a, b) => a.picture - b.picture);
  return read;
}

/** In what a plan differs from the first, in words. */
function difference(asked: Plan["asked"], { asked: other, where }: Pick<Plan, "asked"> & { where: string }): string {
  const said = (text: string | undefined) => text ?? "not given";
  const names = [...new Set([...Object.keys(asked), ...Object.keys(other)])].filter((name) =>
    asked[name] !== other[name]
  );
  return names.map((name) => `there ${name} is ${said(asked[name])}, ${where} it is ${said(other[name])}`).join("; ") ||
    "its file does not say in what it differs";
}

function namesOf(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    throw new UserError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

function objectOf(text: string | undefined): Record<string, unknown> {
  try {
    const value = parseJson(text ?? "");
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

const isTexts = (value: unknown) =>
  typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");

const isSeen = (value: unknown) =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one?.unit) && typeof one.name === "string");

/** Whether a line says all that a report tells. */
const isLine = (line: Partial<Line>, pictures: number): boolean =>
  Number.isSafeInteger(line.picture) && line.picture! >= 0 && line.picture! < pictures &&
  line.file === pictureName(line.picture!) && typeof line.title === "string" && typeof line.target === "string" &&
  Number.isSafeInteger(line.seed) && typeof line.settings === "object" && line.settings !== null &&
  typeof line.activation === "number" && isSeen(line.top) &&
  Array.isArray(line.trace) &&
  line.trace.every(Number.isFinite) &&
  [line.command, line.named, line.sha256].every((text) => typeof text === "string") &&
  (line.judge === undefined || isSeen(line.judge?.top));

/** The bytes of a picture; undefined where it is not there as it was made. */
export async function pictureBytes(read: Read, line: Line): Promise<Uint8Array | undefined> {
  const bytes = await readBytes(pathOf(read, line)).catch(() => undefined);
  return bytes && await hashOf(bytes) === line.sha256 ? bytes : undefined;
}

/** Where a picture is. */
export const pathOf = ({ folders }: Read, { picture, file }: Line): string => join(folders.get(picture)!, file);
