/** AMD's machine code as Mesa prints it, read into instructions: what they are called, what they work on, where they go. */

/**
 * What an instruction works on. Registers are numbered as the hardware does: `vcc` is s106, `m0` s124, `exec` s126; a
 * literal is the unsigned 32 bits, and what they are above these in 64; `scc` the scalar condition; `none` is "off" or "null"; anything that changes a
 * register's value on its way in (a sign, a magnitude) is `changed`.
 */
export type Operand =
  | { kind: "scalar" | "vector"; register: number; count: number }
  | { kind: "literal"; value: number; high: number }
  | { kind: "scc" | "none" | "changed" };

/** One instruction. */
export interface Instruction {
  /** Its name without the encoding's suffix (`_e32`, `_e64`), `_sdwa` kept. */
  op: string;
  operands: Operand[];
  /** What follows the operands, `offset:16` as ["offset", "16"]. */
  modifiers: ReadonlyMap<string, string>;
  /** Index of the instruction that a branch goes to. */
  target?: number;
  /** The second of two that are issued as one. */
  paired: boolean;
}

/** A kernel's code. */
export interface Program {
  instructions: Instruction[];
  /** Loops, by their first and last instruction: the branch back. */
  loops: { start: number; end: number }[];
}

const named: Record<string, Operand> = {
  vcc: { kind: "scalar", register: 106, count: 2 },
  vcc_lo: { kind: "scalar", register: 106, count: 1 },
  vcc_hi: { kind: "scalar", register: 107, count: 1 },
  m0: { kind: "scalar", register: 124, count: 1 },
  exec: { kind: "scalar", register: 126, count: 2 },
  exec_lo: { kind: "scalar", register: 126, count: 1 },
  exec_hi: { kind: "scalar", register: 127, count: 1 },
  scc: { kind: "scc" },
  src_scc: { kind: "scc" },
  off: { kind: "none" },
  null: { kind: "none" },
};

const float = new DataView(new ArrayBuffer(4));

function operandOf(text: string): Operand {
  if (named[text]) return named[text];
  const [, file, one, first, last] = /^([sv])(?:(\d+)|\[(\d+):(\d+)\])$/.exec(text) ?? [];
  if (file) {
    const register = Number(one ?? first);
    const count = one ? 1 : Number(last) - register + 1;
    return { kind: file === "s" ? "scalar" : "vector", register, count };
  }
  if (/^-?(0x[0-9a-f]+|\d+)$/.test(text)) {
    const negative = text.startsWith("-");
    const value = negative ? -Number(text.slice(1)) : Number(text);
    return { kind: "literal", value: value >>> 0, high: negative ? 0xffffffff : 0 };
  }
  if (/^-?\d+\.\d+$/.test(text)) {
    float.setFloat32(0, Number(text));
    return { kind: "literal", value: float.getUint32(0), high: 0 };
  }
  return { kind: "changed" };
}

/** Reads the code of one kernel. Comments (the encoding) are left out. */
export function parseProgram(text: string): Program {
  const labels = new Map<string, number>();
  const instructions: Instruction[] = [];
  const branches = new Map<number, string>();
  for (const line of text.split("\n")) {
    const code = line.replace(/\s*;.*/, "").trim();
    const [, label] = /^(BB\d+):$/.exec(code) ?? [];
    if (label) labels.set(label, instructions.length);
    else if (code) {
      code.split(/\s*::\s*/).forEach((one, n) => {
        const instruction = instructionOf(one, n > 0);
        const [, goal] = /^s_c?branch\S*\s+(BB\d+)/.exec(one) ?? [];
        if (goal) branches.set(instructions.length, goal);
        instructions.push(instruction);
      });
    }
  }
  for (const [at, label] of branches) instructions[at].target = labels.get(label);
  const loops = [...branches.keys()].flatMap((end) => {
    const start = instructions[end].target ?? Infinity;
    return start <= end ? [{ start, end }] : [];
  });
  return { instructions, loops };
}

function instructionOf(code: string, paired: boolean): Instruction {
  const [, name, rest] = /^(\S+)\s*(.*)$/.exec(code)!;
  const op = name.replace(/_e(32|64)$/, "").replace("v_dual_", "v_");
  const pieces = rest.split(/,\s+/);
  const [last = "", ...words] = (pieces.pop() ?? "").split(/\s+/);
  // Waits and branches have no operands that a register would be.
  if (/^s_(waitcnt|c?branch)/.test(op)) return { op, operands: [], modifiers: waitsOf(rest), paired };
  const modifiers = new Map(words.map((word) => [word.split(":")[0], word.slice(word.indexOf(":") + 1)]));
  return { op, operands: [...pieces, last].filter((piece) => piece).map(operandOf), modifiers, paired };
}

/** `vmcnt(2) lgkmcnt(0)` */
const waitsOf = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/(\w+)\((\d+)\)/g)].map(([, name, count]) => [name, count]));
