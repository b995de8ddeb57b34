/** What Mesa prints of a kernel that it compiles (RADV_DEBUG=shaders,shaderstats): its statistics and its code. */

/** A kernel as the compiler made it. */
export interface Compiled {
  vectorRegisters: number;
  scalarRegisters: number;
  /** Registers that went to memory, and the bytes of memory that a lane has for that and for arrays. */
  spills: number;
  scratch: number;
  /** Bytes of workgroup memory. */
  shared: number;
  /** Instructions in the code. */
  instructions: number;
  /** Invocations of a workgroup along each dimension. */
  size: readonly [number, number, number];
  /** The machine code as text. */
  code: string;
}

/** What stands before each kernel in the listing. */
export const mark = (kernel: number): string => `\n@@kernel ${kernel}\n`;

/** The kernels of a listing, in the order of their marks. @throws Error where one has no code. */
export function parseListing(text: string): Compiled[] {
  return text.split(/^@@kernel \d+$/m).slice(1).map((part, n) => {
    const number = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(part)?.[1]);
    const code = /^disasm:\n([^]*?)\n\n/m.exec(part)?.[1];
    if (code === undefined) throw new Error(`kernel ${n} has no code in Mesa's listing: ${part.slice(0, 200)}`);
    const [, x, y, z] = /^workgroup-size: (\d+), (\d+), (\d+)$/m.exec(part)!;
    return {
      vectorRegisters: number("VGPRs"),
      scalarRegisters: number("SGPRs"),
      spills: number("Spilled VGPRs") + number("Spilled SGPRs"),
      scratch: number("Scratch size"),
      shared: number("LDS size"),
      instructions: number("Instructions"),
      size: [Number(x), Number(y), Number(z)],
      code,
    };
  });
}
