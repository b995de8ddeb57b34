/** Machine code as text: instructions, operands, loops, and what each instruction is to the hardware. */
import assert from "node:assert/strict";
import { bankClocks, linesOf } from "../../bench/static/access.ts";
import { parseProgram } from "../../bench/static/isa.ts";
import { mark, parseListing } from "../../bench/static/listing.ts";
import { workOf } from "../../bench/static/work.ts";

const workOfLine = (line: string) => workOf(parseProgram(line).instructions[0]);

Deno.test("instructions, operands and loops are read from Mesa's text", () => {
  const { instructions, loops } = parseProgram(`BB0:
	s_mov_b64 s[4:5], -1                                        ; be8404c1
BB1:
	buffer_load_dwordx4 v[24:27], v14, s[16:19], 0 offen offset:16 ; e0381010 8004180e
	v_fma_mix_f32 v13, v20, |v16|, 1.0 op_sel:[1,0,0] op_sel_hi:[1,0,0] ; cc20000d 0c362114
	s_waitcnt vmcnt(1) lgkmcnt(0)                               ; bf8c0071
	s_cbranch_scc0 BB1                                          ; bf84000a
BB2:
	s_endpgm                                                    ; bf810000`);
  assert.deepEqual(instructions.map(({ op }) => op), [
    "s_mov_b64",
    "buffer_load_dwordx4",
    "v_fma_mix_f32",
    "s_waitcnt",
    "s_cbranch_scc0",
    "s_endpgm",
  ]);
  const [move, load, multiply, wait, branch] = instructions;
  assert.deepEqual(move.operands, [
    { kind: "scalar", register: 4, count: 2 },
    { kind: "literal", value: 0xffffffff, high: 0xffffffff },
  ]);
  assert.deepEqual(load.operands[0], { kind: "vector", register: 24, count: 4 });
  assert.deepEqual([...load.modifiers], [["offen", "offen"], ["offset", "16"]]);
  assert.deepEqual(multiply.operands.slice(2), [
    { kind: "changed" },
    { kind: "literal", value: 0x3f800000, high: 0 },
  ]);
  assert.deepEqual([...wait.modifiers], [["vmcnt", "1"], ["lgkmcnt", "0"]]);
  assert.equal(branch.target, 1);
  assert.deepEqual(loops, [{ start: 1, end: 4 }]);
});

Deno.test("a literal of 32 bits is no negative number of 64, a small one is", () => {
  const [literal, small] = parseProgram("s_mov_b64 s[4:5], 0xffffffff\ns_mov_b64 s[4:5], -1").instructions;
  assert.deepEqual([literal.operands[1], small.operands[1]], [
    { kind: "literal", value: 0xffffffff, high: 0 },
    { kind: "literal", value: 0xffffffff, high: 0xffffffff },
  ]);
});

Deno.test("multiply-adds in single and half precision, alone and packed", () => {
  const counts: [line: string, multiplyAdds: number][] = [
    ["v_fma_f32 v0, v1, v2, v0", 1],
    ["v_fmac_f32_e32 v20, v21, v24", 1],
    ["v_mac_f32_e32 v20, v21, v24", 1],
    ["v_fmaak_f32 v0, v1, v2, 0x40490fdb", 1],
    ["v_fma_mix_f32 v13, v20, v16, v13 op_sel_hi:[1,0,0]", 1],
    ["v_mad_mix_f32 v13, v20, v16, v13", 1],
    ["v_fma_f16 v0, v1, v2, v0", 1],
    ["v_pk_fma_f16 v8, v10, v17, v8", 2],
    ["v_pk_fmac_f16 v8, v10, v17", 2],
    ["v_dot2_f32_f16 v0, v1, v2, v0", 2],
    ["v_dot2c_f32_f16 v0, v1, v2", 2],
    ["v_add_f32_e32 v0, v1, v2", 0],
    ["v_mad_u32_u24 v14, 9, v2, s15", 0],
    ["v_mul_lo_u32 v14, v15, v14", 0],
  ];
  for (const [line, expected] of counts) assert.equal(workOfLine(line).multiplyAdds, expected, line);
  assert.equal(workOfLine("v_mul_lo_u32 v14, v15, v14").issues, 4);
  assert.equal(workOfLine("v_rcp_f32_e32 v0, v1").issues, 4);
  const dual = parseProgram("v_dual_fmac_f32 v0, v1, v2 :: v_dual_fmac_f32 v3, v4, v5").instructions.map(workOf);
  assert.deepEqual(dual.map(({ issues, multiplyAdds }) => [issues, multiplyAdds]), [[1, 1], [0, 1]]);
});

Deno.test("bytes of loads and stores in both spellings", () => {
  const bytes: [line: string, unit: string, bytes: number, accesses: number][] = [
    ["buffer_load_dwordx4 v[0:3], v4, s[0:3], 0 offen", "load", 16, 1],
    ["buffer_load_b128 v[0:3], v4, s[0:3], 0 offen", "load", 16, 1],
    ["buffer_load_dword v0, v4, s[0:3], 0 offen", "load", 4, 1],
    ["buffer_store_dwordx3 v[0:2], v4, s[0:3], 0 offen", "store", 12, 1],
    ["buffer_load_ushort v0, v4, s[0:3], 0 offen", "load", 2, 1],
    ["ds_read_b128 v[0:3], v4", "shared", 16, 1],
    ["ds_load_2addr_b32 v[0:1], v4 offset1:1", "shared", 4, 2],
    ["ds_read2_b64 v[0:3], v4 offset1:1", "shared", 8, 2],
    ["s_load_dwordx8 s[4:11], s[2:3], null", "scalarLoad", 32, 0],
    ["s_buffer_load_b128 s[4:7], s[0:3], null", "scalarLoad", 16, 0],
  ];
  for (const [line, unit, size, accesses] of bytes) {
    const work = workOfLine(line);
    assert.deepEqual([work.unit, work.bytes, work.accesses], [unit, size, accesses], line);
  }
});

Deno.test("lines that lanes touch: neighbours share them, strides do not", () => {
  const lanes = Array.from({ length: 64 }, (_, lane) => lane);
  assert.equal(linesOf(lanes.map((lane) => 16 * lane), 16, 128), 8);
  assert.equal(linesOf(lanes.map(() => 4096), 16, 128), 1);
  assert.equal(linesOf(lanes.map((lane) => 65536 * lane), 16, 128), 64);
  assert.equal(linesOf([120], 16, 128), 2);
});

Deno.test("banks of workgroup memory: words that differ in one bank wait for one another", () => {
  const lanes = Array.from({ length: 64 }, (_, lane) => lane);
  assert.equal(bankClocks(lanes.map((lane) => 4 * lane), 4), 2);
  assert.equal(bankClocks(lanes.map(() => 0), 4), 2); // one word for all
  assert.equal(bankClocks(lanes.map((lane) => 128 * lane), 4), 64);
  assert.equal(bankClocks(lanes.map((lane) => 132 * lane), 4), 2); // one word of padding a row
  assert.equal(bankClocks(lanes.map((lane) => 16 * lane), 16), 8);
});

Deno.test("a listing's kernels come with their statistics", () => {
  const kernel = (registers: number) =>
    `workgroup-size: 8, 4, 1
disasm:
BB0:
	s_endpgm                                                    ; bf810000


*** SHADER STATS ***
SGPRs: 128
VGPRs: ${registers}
Spilled SGPRs: 0
Spilled VGPRs: 3
LDS size: 8192
Scratch size: 12
Instructions: 1
`;
  const [first, second] = parseListing(`before${mark(0)}${kernel(24)}${mark(1)}${kernel(96)}`);
  assert.deepEqual([first.vectorRegisters, second.vectorRegisters], [24, 96]);
  assert.deepEqual([first.spills, first.scratch, first.shared, first.instructions], [3, 12, 8192, 1]);
  assert.deepEqual(first.size, [8, 4, 1]);
  assert.match(first.code, /^BB0:\n\ts_endpgm/);
  assert.throws(() => parseListing(`${mark(0)}nothing`), /kernel 0 has no code/);
});
