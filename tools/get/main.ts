/** deno task get: known networks, from those who publish them, as model folders. */
import { basename, join, relative } from "node:path";
import { type Command, main, print, tell, type Values, warn } from "../../src/cli/command.ts";
import { reasonOf } from "../../src/cli/files.ts";
import { lstatOf, sweep } from "../../src/cli/outputs/temporary.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { oneOf, wholeNumber } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { convertInto } from "../convert/caffe/command.ts";
import { openPlace } from "../convert/folder.ts";
import { storages } from "../convert/narrowing.ts";
import { extract } from "./archive.ts";
import { downloadFirst } from "./download.ts";
import { type KnownNetwork, knownNetworks, type RemoteFile } from "./networks.ts";

const options = {
  out: { value: "DIR", help: "the model folder to make (models/NAME)" },
  from: {
    value: "URL",
    help:
      "a folder on a mirror that has the files, under their own names; Deno asks whether it may, get:mirror does not",
  },
  weights: { value: "TYPE", help: "f32, f16 or i8: how weights are stored (f32)" },
  timeout: { value: "S", help: "seconds without a byte after which a transfer is tried again (30)" },
  tries: { value: "N", help: "failures in a row after which a transfer is given up (5)" },
  keep: { help: "keeps the fetched files in DIR.download" },
  force: { help: "replaces an existing model folder; its labels.txt stays" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "get",
  summary:
    "Fetches a known network from those who publish it and makes a model folder of it. Without a name it lists them. " +
    "What was interrupted goes on where it stopped; where an address fails, others that have the same bytes are tried.",
  operands: "[NAME]",
  options,
  examples: [
    ["deno task get", "the networks and their licences"],
    ["deno task get caffenet", "CaffeNet, in models/caffenet"],
    ["deno task get deepsim-fc6 --weights f16", "the paper's generator, half as large"],
    ["deno task get caffenet --from https://mirror.example/caffenet", "the same files from elsewhere"],
    ["deno task get:mirror caffenet --from https://mirror.example/caffenet", "where nobody can be asked"],
  ],
  run,
};

/** The project's folder of models and the names of ILSVRC's units in it, as seen from where the user is. */
const models = () => relative(Deno.cwd(), join(import.meta.dirname!, "../../models"));
const ilsvrcLabels = () => join(models(), "caffenet64/labels.txt");

async function run(values: Values<typeof options>, [name, ...more]: string[]): Promise<void> {
  if (name === undefined) return list();
  if (more.length > 0) throw new UserError(`expected one network, got ${[name, ...more].join(", ")}`);
  if (!Object.hasOwn(knownNetworks, name)) {
    throw new UserError(`there is no network "${name}"; known are ${Object.keys(knownNetworks).join(", ")}`);
  }
  const network = knownNetworks[name];
  const out = values.out ?? join(models(), name);
  const weights = oneOf("--weights", values.weights, storages);
  const stall = 1000 * wholeNumber("--timeout", values.timeout, { least: 1, most: 3600, fallback: 30 });
  const tries = wholeNumber("--tries", values.tries, { least: 1, most: 100, fallback: 5 });
  const mirror = values.from === undefined ? undefined : mirrorOf(values.from);
  const { mean, resize, warp, code } = network;
  // It is also this run's alone as long as it fetches.
  using place = openPlace(out, values.force);
  tell(`${name}: ${network.licence}`);
  const folder = `${out}.download`;
  const labels = network.ilsvrc ? ilsvrcLabels() : undefined;
  await fetchFiles(network, folder, { mirror, stall, tries });
  try {
    const files = await unpacked(network, folder);
    await convertInto(place, files, { mean, resize, warp, order: "BGR", code, weights }, { labels });
  } catch (error) {
    // What nobody has published a hash of may be what is wrong; the next time fetches it anew.
    for (const file of filesOf(network)) {
      if (!file.sha1) { for (const end of ["", ".from"]) tryRemove(join(folder, `${nameOf(file)}${end}`)); }
      if (file.entry) tryRemove(placeOf(file, folder));
    }
    tryRemove(folder);
    throw error;
  }
  if (!values.keep) Deno.removeSync(folder, { recursive: true });
}

function list(): void {
  const width = Math.max(...Object.keys(knownNetworks).map((name) => name.length));
  for (const [name, { summary, licence }] of Object.entries(knownNetworks)) {
    print(`${name.padEnd(width)}  ${summary}`);
    print(`${" ".repeat(width)}  ${licence}`);
  }
}

const filesOf = ({ prototxt, caffemodel }: KnownNetwork) => [prototxt, caffemodel];

const nameOf = ({ url, name }: RemoteFile) => name ?? basename(new URL(url).pathname);

/** How files are fetched. */
interface Fetching {
  mirror?: URL;
  stall: number;
  tries: number;
}

/** Fetches the network's files, each once, into the folder. */
async function fetchFiles(network: KnownNetwork, folder: string, how: Fetching): Promise<void> {
  openFolder(folder);
  try {
    const files = new Map(filesOf(network).map((file) => [nameOf(file), file]));
    for (const [name, file] of files) await fetchFile(file, join(folder, name), how);
  } catch (error) {
    tryRemove(folder); // it goes where nothing has come
    throw error;
  }
}

/** Makes the folder for what is fetched, or takes what an earlier run left there. */
function openFolder(folder: string): void {
  try {
    if (lstatOf(folder)?.isSymlink) {
      throw new UserError(`${folder} is a symbolic link, which is not followed; remove it`);
    }
    Deno.mkdirSync(folder, { recursive: true });
    sweep(folder);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${folder} cannot be made: ${reasonOf(error)}`);
  }
}

/** The prototxt and the caffemodel, out of their archives where they are in any. */
async function unpacked(network: KnownNetwork, folder: string): Promise<{ prototxt: string; caffemodel: string }> {
  const wanted = new Map(filesOf(network).flatMap((file) => file.entry ? [[file.entry, placeOf(file, folder)]] : []));
  if (wanted.size > 0) await extract(join(folder, nameOf(network.caffemodel)), wanted);
  return { prototxt: placeOf(network.prototxt, folder), caffemodel: placeOf(network.caffemodel, folder) };
}

/** Where a file is, once it is out of its archive if it was in one. */
const placeOf = (file: RemoteFile, folder: string) => join(folder, file.entry ? basename(file.entry) : nameOf(file));

function tryRemove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is not there, or holds something.
  }
}

async function fetchFile(file: RemoteFile, path: string, { mirror, stall, tries }: Fetching): Promise<void> {
  const { sha1, most, hosts, url, elsewhere = [] } = file;
  const urls = mirror ? [new URL(encodeURIComponent(nameOf(file)), mirror).href] : [url, ...elsewhere];
  if (!sha1) warn(`${basename(path)}: nobody has published its hash, so it is unchecked`);
  const bar = progress("MB", stderrScreen(false));
  const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
  try {
    await downloadFirst(urls, {
      path,
      sha1,
      hosts: mirror ? [] : hosts,
      most,
      stall,
      tries,
      pause: 1000,
      onProgress: (done, total) => {
        if (total && total > 1e6) bar.show({ done: megabytes(done), total: megabytes(total), note: basename(path) });
      },
      onRetry: (reason) => warn(`${basename(path)}: ${reason}; trying again`),
    }, (reason, next) => warn(`${reason}; trying ${next}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new UserError(
        `${urls[0]} may not be fetched: Deno asks in a terminal whether it may; \`deno task get:mirror\` does not ask`,
      );
    }
    if (!(error instanceof UserError) || mirror) throw error;
    throw new UserError(`${error.message}; --from takes it from a mirror`);
  } finally {
    bar.end();
  }
}

/** @throws UserError unless the mirror is an address. */
function mirrorOf(from: string): URL {
  const base = URL.parse(`${from.replace(/\/*$/, "")}/`);
  if (base && /^https?:$/.test(base.protocol)) return base;
  throw new UserError(`--from expects an address that begins with http:// or https://, got "${from}"`);
}

if (import.meta.main) await main(command);
