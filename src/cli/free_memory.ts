/**
 * How much memory a program may still take: what the system has free, or less where a container (a control group) allows less.
 *
 *     version 2   /proc/self/cgroup "0::/a/b"           /sys/fs/cgroup/a/b/memory.max, memory.current
 *     version 1   /proc/self/cgroup "4:memory:/a/b"     /sys/fs/cgroup/memory/a/b/memory.limit_in_bytes, memory.usage_in_bytes
 *
 * Each group above counts too; inside a container the outermost that can be seen is its own. Deno keeps /proc and /sys from
 * programs that may not do everything, so for them it is asked itself: it reads the innermost group's limit, and what the
 * program takes is known.
 */
import process from "node:process";
import { dirname, join } from "node:path";

/** Where the files of control groups begin; tests have others. */
export interface GroupPaths {
  /** Which groups this program is in. */
  own: string;
  /** The folder of all groups. */
  groups: string;
}

const system: GroupPaths = { own: "/proc/self/cgroup", groups: "/sys/fs/cgroup" };

/** Bytes of memory that are free, Infinity where nobody tells. */
export function freeMemory(paths: GroupPaths = system): number {
  return Math.min(freeInSystem(), freeInGroups(paths) ?? freeByDeno());
}

function freeInSystem(): number {
  try {
    return Deno.systemMemoryInfo().available || Infinity;
  } catch {
    return Infinity; // not permitted, or not known here
  }
}

/** What the innermost group's limit leaves beside this program. It is 0 where there is none, or near 2^63. */
function freeByDeno(): number {
  try {
    const limit = process.constrainedMemory();
    return limit > 0 ? Math.max(0, limit - Deno.memoryUsage().rss) : Infinity;
  } catch {
    return Infinity;
  }
}

/** The least that a group and those above it leave, Infinity where none has a limit; undefined where they cannot be read. */
export function freeInGroups({ own, groups }: GroupPaths): number | undefined {
  let lines: string[];
  try {
    lines = Deno.readTextFileSync(own).split("\n");
  } catch {
    return undefined;
  }
  const free = lines.map((line) => {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === "") return leastAbove(groups, group, "memory.max", "memory.current");
    if (!controllers?.split(",").includes("memory")) return Infinity;
    return leastAbove(join(groups, "memory"), group, "memory.limit_in_bytes", "memory.usage_in_bytes");
  });
  return Math.min(...free);
}

/** The least that is free in a group of this root and all above it. */
function leastAbove(root: string, group: string, limitFile: string, usageFile: string): number {
  const limit = numberIn(join(root, group, limitFile));
  const usage = numberIn(join(root, group, usageFile));
  const free = limit === undefined ? Infinity : Math.max(0, limit - (usage ?? 0));
  return group === "/" || group === "" ? free : Math.min(free, leastAbove(root, dirname(group), limitFile, usageFile));
}

/** The number that a file holds; undefined for one that is not there, or says "max". */
function numberIn(file: string): number | undefined {
  try {
    const text = Deno.readTextFileSync(file).trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
