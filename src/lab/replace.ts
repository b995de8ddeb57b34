/** Programs of the user's own in the place of a plan's kernels: found by name, and checked before anything is compiled. */
import { parseJson } from "../formats/json.ts";
import { UserError } from "../formats/user_error.ts";
import type { OwnProgram } from "../gpu/call.ts";
import type { Device } from "../gpu/device.ts";
import { sourceOf } from "../gpu/source.ts";
import type { PlannedKernel, Replace } from "../net/kernels.ts";
import { bindingsOf, type DumpedBinding } from "./dump.ts";

/** A program, and the kernel that it shall stand for. */
export interface OwnKernel {
  kernel: string;
  /** The file's name, for messages. */
  file: string;
  wgsl: string;
  /** The text beside it, where there is one. */
  json?: string;
}

/** Kernels that a message lists. */
const MOST_NAMES = 12;

/** Puts programs in the place of a plan's kernels, as its request wants it. */
export const replacing = (device: Device, own: readonly OwnKernel[]): Replace => (kernels) =>
  new Map(own.map((one) => {
    const kernel = kernels.find(({ name }) => name === one.kernel);
    if (!kernel) throw new UserError(unknown(one.kernel, kernels.map(({ name }) => name)));
    return [kernel, programOf(device, kernel, one)];
  }));

function unknown(wanted: string, names: readonly string[]): string {
  const parts = names.filter((name) => name.startsWith(`${wanted}.`) && /^\d+$/.test(name.slice(wanted.length + 1)));
  if (parts.length > 0) return `${wanted} takes ${parts.length} dispatches here; name one of them: ${parts.join(", ")}`;
  const near = names.filter((name) => name.startsWith(wanted.split(".")[0]));
  const listed = near.length > 0 ? near : names;
  const more = listed.length > MOST_NAMES ? ` and ${listed.length - MOST_NAMES} more` : "";
  return `there is no kernel "${wanted}"; there are ${
    listed.slice(0, MOST_NAMES).join(", ")
  }${more} (bench kernels --dump writes all)`;
}

/** @throws UserError where the text beside the program makes no sense, or speaks of another kernel. */
function programOf(device: Device, kernel: PlannedKernel, { file, wgsl, json }: OwnKernel): OwnProgram {
  if (json === undefined) return { wgsl, file };
  const beside = file.replace(/(\.wgsl)?$/, ".json");
  const fail = (what: string): never => {
    throw new UserError(`${beside}: ${what}`);
  };
  let facts: { grid?: unknown; bindings?: unknown } = {};
  try {
    facts = parseJson(json) as typeof facts;
  } catch {
    fail("it is not JSON; it stands beside a program and says its grid");
  }
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) fail("expected an object with a grid");
  const { grid, bindings } = facts;
  const most = device.caps.maxGroups;
  if (Array.isArray(bindings)) {
    const given = sourceOf(kernel.call, device).slots.map(({ tensor }) => tensor.memory !== undefined);
    const difference = differenceOf(bindings, bindingsOf(kernel, device), given);
    if (difference) fail(`it was written of another kernel than ${kernel.name} is here: ${difference}`);
  }
  if (grid === undefined) return { wgsl, file };
  const sound = Array.isArray(grid) && grid.length === 3 &&
    grid.every((size) => Number.isSafeInteger(size) && size >= 1 && size <= most);
  if (!sound) fail(`"grid" is ${JSON.stringify(grid)}, expected three numbers of workgroups, 1 to ${most}`);
  return { wgsl, file, grid: grid as [number, number, number] };
}

/**
 * What first differs between bindings as they were written down and as they are.
 * @param given Which of them show memory that is not the plan's: a search's trace is as long as the search.
 */
function differenceOf(
  written: readonly Partial<DumpedBinding>[],
  here: readonly DumpedBinding[],
  given: readonly boolean[],
): string | undefined {
  if (written.length !== here.length) return `${written.length} bindings there, ${here.length} here`;
  for (const [n, { name, declaration, texels, shape }] of here.entries()) {
    const there = written[n] ?? {};
    if (there.declaration !== declaration) return `binding ${n} is "${declaration}" here`;
    if (there.texels === texels || given[n]) continue;
    return `${name} has ${texels} texels here (${shape.join("×")}), ${there.texels} there`;
  }
}
