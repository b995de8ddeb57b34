/**
 * Where the stages of a kernel (staged.ts) come from and where its rows go, in WGSL:
 *
 *     fn phaseAt(number: u32) -> Phase              of the target, with how many taps reach it
 *     fn tapAt(index: u32, phase: Phase) -> Tap     which of them is the index-th, and how far it is from the position
 *     fn rowAt(number: u32, phase: Phase) -> Row    which block of a group a row is, and of which phase
 *
 * Where the phases of a position are rows of one tile, all see the same window of the source, as far as any tap reaches; a
 * row has no weights at places that its own taps miss. So four channels at stride 4, which are a sixteenth of a tile in each
 * phase, fill one together.
 */
import { phaseTaps, tapCounts } from "./shape.ts";
import { type StagedKernel, tapWindow } from "./staged_shape.ts";
import { constants, signedConstants } from "../wgsl.ts";

const structs = `
struct Phase {
  y: u32,
  x: u32,
  firstY: u32,
  firstX: u32,
  rows: u32,
  columns: u32,
}

struct Tap {
  number: u32,
  shiftY: i32,
  shiftX: i32,
}

struct Row {
  block: u32,
  y: u32,
  x: u32,
}`;

const direct = `
const PHASES_Y = 1u;
const PHASES_X = 1u;

fn phaseAt(number: u32) -> Phase {
  return Phase(0u, 0u, 0u, 0u, KERNEL_HEIGHT, KERNEL_WIDTH);
}

fn tapAt(index: u32, phase: Phase) -> Tap {
  let y = index / KERNEL_WIDTH;
  let x = index % KERNEL_WIDTH;
  return Tap(index, i32(y * DILATION_Y) - PADDING_Y, i32(x * DILATION_X) - PADDING_X);
}`;

const rowOfPhase = `
fn rowAt(number: u32, phase: Phase) -> Row {
  return Row(number, phase.y, phase.x);
}`;

function transposed({ geometry: g }: StagedKernel): string {
  const [tapsY, tapsX] = [phaseTaps(g, 0), phaseTaps(g, 1)];
  const counts = tapCounts(g, 1).filter((count) => count > 0);
  const [most, least] = [Math.max(...counts), Math.min(...counts)];
  const by = (sign: string) =>
    most === least
      ? `index ${sign} ${most}u`
      : `select(index ${sign} ${least}u, index ${sign} ${most}u, phase.columns == ${most}u)`;
  return `
${constants({ PHASES_Y: g.stride[0], PHASES_X: g.stride[1], TAP_STEP_Y: tapsY.step, TAP_STEP_X: tapsX.step })}

fn firstTapY(phase: u32) -> u32 {
  return ${tapsY.first};
}

fn firstTapX(phase: u32) -> u32 {
  return ${tapsX.first};
}

fn phaseAt(number: u32) -> Phase {
  let y = number / PHASES_X;
  let x = number % PHASES_X;
  let firstY = firstTapY(y);
  let firstX = firstTapX(x);
  let rows = (max(KERNEL_HEIGHT, firstY) - firstY + TAP_STEP_Y - 1u) / TAP_STEP_Y;
  let columns = (max(KERNEL_WIDTH, firstX) - firstX + TAP_STEP_X - 1u) / TAP_STEP_X;
  return Phase(y, x, firstY, firstX, rows, columns);
}

fn tapAt(index: u32, phase: Phase) -> Tap {
  let y = phase.firstY + (${by("/")}) * TAP_STEP_Y;
  let x = phase.firstX + (${by("%")}) * TAP_STEP_X;
  let shiftY = (i32(phase.y) + PADDING_Y - i32(y * DILATION_Y)) / i32(PHASES_Y);
  let shiftX = (i32(phase.x) + PADDING_X - i32(x * DILATION_X)) / i32(PHASES_X);
  return Tap(y * KERNEL_WIDTH + x, shiftY, shiftX);
}`;
}

function joint({ geometry: g }: StagedKernel): string {
  const [y, x] = [tapWindow(g, 0), tapWindow(g, 1)];
  return `
${constants({ PHASES_Y: g.stride[0], PHASES_X: g.stride[1], WINDOW_HEIGHT: y.count, WINDOW_WIDTH: x.count })}
${signedConstants({ WINDOW_TOP: y.first, WINDOW_LEFT: x.first })}

fn phaseAt(number: u32) -> Phase {
  return Phase(0u, 0u, 0u, 0u, WINDOW_HEIGHT, WINDOW_WIDTH);
}

fn tapAt(index: u32, phase: Phase) -> Tap {
  return Tap(index, WINDOW_TOP + i32(index / WINDOW_WIDTH), WINDOW_LEFT + i32(index % WINDOW_WIDTH));
}

fn rowAt(number: u32, phase: Phase) -> Row {
  let own = number % (PHASES_Y * PHASES_X);
  return Row(number / (PHASES_Y * PHASES_X), own / PHASES_X, own % PHASES_X);
}`;
}

/** The functions of a kernel. */
export function stagedTaps(k: StagedKernel): string {
  if (k.staged.joint) return structs + joint(k);
  return structs + (k.direction === "direct" ? direct : transposed(k)) + rowOfPhase;
}
