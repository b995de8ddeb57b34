/** Waves followed through small kernels: how often loops run, on which lanes, and what they wait for. */
import assert from "node:assert/strict";
import { chips } from "../../bench/static/chips.ts";
import { parseProgram } from "../../bench/static/isa.ts";
import type { WaveAt } from "../../bench/static/start.ts";
import { follow, prepare, type WaveFigures } from "../../bench/static/wave.ts";

const where: WaveAt = {
  group: [0, 0, 0],
  size: [64, 1, 1],
  wave: 0,
  packed: false,
  weights: new Set(),
  guess: 1,
};

/** Follows a kernel of such lines to its end. */
function run(code: string, at: Partial<WaveAt> = {}, chip = chips.navi21): WaveFigures {
  const figures = follow(prepare(parseProgram(code)), { ...where, ...at }, chip);
  assert.ok(figures, "it comes to an end");
  return figures;
}

/** A loop around some lines, counted in a scalar register. */
const loop = (block: number, counter: string, trips: string, body: string) => `
	s_mov_b32 ${counter}, 0
BB${block}:
	s_cmp_ge_u32 ${counter}, ${trips}
	s_cbranch_scc1 BB${block + 1}
${body}
	s_add_u32 ${counter}, ${counter}, 1
	s_branch BB${block}
BB${block + 1}:`;

const multiplyAdd = "\tv_fmac_f32_e32 v20, v21, v24";

Deno.test("nested loops run as often as their bounds say, and what is around them counts too", () => {
  const inner = loop(20, "s6", "0x10", multiplyAdd);
  const { multiplyAdds, vector, guesses } = run(`${loop(10, "s5", "9", `${inner}\n\tv_add_f32_e32 v1, v2, v3`)}
	v_mul_lo_u32 v9, v9, v9
	s_endpgm`);
  assert.equal(multiplyAdds, 9 * 16 * 64);
  assert.equal(vector, (9 * 16 + 9 + 4) * 2); // 64 lanes on a SIMD of 32
  assert.equal(guesses, 0);
});

Deno.test("a loop's guard that counts two words down does not end it", () => {
  const { multiplyAdds } = run(`
	s_mov_b64 s[6:7], -1
	s_mov_b32 s8, 0
BB2:
	s_max_u32 s9, s6, s7
	s_cmp_eq_i32 s9, 0
	s_cbranch_scc1 BB9
	s_cmp_eq_i32 s6, 0
	s_sub_i32 s7, s7, src_scc
	s_add_u32 s6, s6, -1
	s_cmpk_ge_u32 s8, 0x100
	s_cbranch_scc1 BB9
${multiplyAdd}
	s_add_u32 s8, s8, 1
	s_branch BB2
BB9:
	s_endpgm`);
  assert.equal(multiplyAdds, 256 * 64);
});

Deno.test("lanes that leave a loop earlier execute less of it", () => {
  const { multiplyAdds, vector } = run(`
	v_and_b32_e32 v1, 3, v0
	s_mov_b64 s[4:5], exec
BB2:
	s_mov_b64 s[8:9], exec
	v_cmpx_le_u32_e32 4, v1
	s_andn2_b64 s[8:9], s[8:9], exec
	s_cbranch_scc0 BB9
	s_mov_b64 exec, s[8:9]
${multiplyAdd}
	v_add_nc_u32_e32 v1, 1, v1
	s_branch BB2
BB9:
	s_mov_b64 exec, s[4:5]
${multiplyAdd}
	s_endpgm`);
  assert.equal(multiplyAdds, 16 * (4 + 3 + 2 + 1) + 64);
  assert.equal(vector, 2 * (1 + 4 * 3 + 1 + 1));
});

Deno.test("the workgroup's number comes in the registers that the code reads first", () => {
  const code = `
	s_mulk_i32 s4, 0x280
	s_add_u32 s0, s4, s3
	v_lshl_add_u32 v0, s0, 6, v0
	v_cmpx_gt_u32_e32 0xa010, v0
	s_cbranch_execz BB9
${multiplyAdd}
BB9:
	s_endpgm`;
  assert.equal(run(code, { group: [0, 1, 0] }).multiplyAdds, 16);
  assert.equal(run(code, { group: [1, 1, 0] }).multiplyAdds, 0);
  assert.equal(run(code, { group: [5, 0, 0] }).multiplyAdds, 64);
});

Deno.test("invocations of two dimensions, packed into one register or not, and the wave's number", () => {
  const rows = (row: string) => `${row}\n\tv_cmpx_gt_u32_e32 1, v1\n${multiplyAdd}\n\ts_endpgm`;
  assert.equal(run(rows(""), { size: [16, 16, 1] }).multiplyAdds, 16);
  assert.equal(run(rows(""), { size: [16, 16, 1], wave: 1 }).multiplyAdds, 0);
  assert.equal(run(rows("\tv_bfe_u32 v1, v0, 10, 10"), { size: [16, 16, 1], packed: true }).multiplyAdds, 16);
  const index = `
	v_mbcnt_lo_u32_b32 v2, -1, 0
	v_mbcnt_hi_u32_b32 v2, -1, v2
	v_and_or_b32 v2, 0xfc0, s5, v2
	v_cmpx_le_u32_e32 0x82, v2
${multiplyAdd}
	s_endpgm`;
  assert.equal(run(index, { size: [16, 16, 1], wave: 2 }).multiplyAdds, 62);
});

Deno.test("a workgroup that does not fill its last wave leaves lanes off", () => {
  assert.equal(run(`${multiplyAdd}\n\ts_endpgm`, { size: [72, 1, 1], wave: 1 }).multiplyAdds, 8);
});

Deno.test("waves of 32 lanes are told by their masks", () => {
  const code = `
	v_cmp_gt_u32_e64 s4, 20, v0
	s_and_saveexec_b32 s5, s4
${multiplyAdd}
	s_mov_b32 exec_lo, s5
${multiplyAdd}
	s_endpgm`;
  const { multiplyAdds, vector } = run(code, { size: [32, 1, 1] });
  assert.deepEqual([multiplyAdds, vector], [20 + 32, 3]);
});

Deno.test("a loop whose end hangs on values makes the trips that are asked for", () => {
  const code = `
	buffer_load_dword v5, v0, s[8:11], 0 offen
BB2:
	v_readfirstlane_b32 s5, v5
	s_cmp_lg_i32 s5, 0
	s_cbranch_scc1 BB9
${multiplyAdd}
	s_branch BB2
BB9:
	s_endpgm`;
  for (const guess of [1, 2, 7]) {
    const { multiplyAdds, guesses } = run(code, { guess });
    assert.equal(multiplyAdds, 64 * guess);
    assert.ok(guesses > 0);
  }
  const turned = `
BB2:
${multiplyAdd}
	s_cbranch_vccnz BB2
	s_endpgm`;
  for (const guess of [1, 2, 7]) assert.equal(run(turned, { guess }).multiplyAdds, 64 * guess);
});

Deno.test("half precision: packed multiply-adds count two, and are told apart", () => {
  const { multiplyAdds, packed } = run(`
	v_pk_fma_f16 v8, v10, v17, v8
	v_fma_mix_f32 v13, v20, v16, v13 op_sel_hi:[1,0,0]
	s_endpgm`);
  assert.deepEqual([multiplyAdds, packed], [3 * 64, 2 * 64]);
});

Deno.test("the vector cache serves bytes, or lines where lanes lie apart", () => {
  const load = (shift: number) => `
	v_lshlrev_b32_e32 v1, ${shift}, v0
	buffer_load_dwordx4 v[4:7], v1, s[8:11], 0 offen
	s_endpgm`;
  assert.equal(run(load(4)).cache, 8); // 1024 bytes in lines of 128
  assert.equal(run(load(12)).cache, 64);
  assert.equal(run(load(4), {}, chips.vega10).cache, 16);
});

Deno.test("loads are of weights where their binding's descriptor says so", () => {
  const code = `
	s_load_dwordx8 s[8:15], s[2:3], 0x10
	v_lshlrev_b32_e32 v1, 4, v0
	s_waitcnt lgkmcnt(0)
	buffer_load_dwordx4 v[4:7], v1, s[12:15], 0 offen
	s_waitcnt vmcnt(0)
	s_buffer_load_dwordx4 s[16:19], s[8:11], null
	s_waitcnt lgkmcnt(0)
	s_endpgm`;
  const { latency } = chips.navi21;
  const vector = run(code, { weights: new Set([2]) });
  const scalar = run(code, { weights: new Set([1]) });
  assert.equal(vector.weightBytes, 1024);
  assert.equal(vector.pathFromMemory - vector.path, latency.memory - latency.cache);
  assert.equal(scalar.weightBytes, 16);
  assert.equal(run(code).weightBytes, 0);
});

Deno.test("loads overlap until they are waited for", () => {
  const load = (register: number) => `\tbuffer_load_dword v${register}, v0, s[8:11], 0 offen`;
  const { latency } = chips.navi21;
  const wait = "\ts_waitcnt vmcnt(0)";
  const together = run([load(1), load(2), wait, "\ts_endpgm"].join("\n")).path;
  const apart = run([load(1), wait, load(2), wait, "\ts_endpgm"].join("\n")).path;
  assert.ok(together < latency.cache + 10, `${together}`);
  assert.ok(apart >= 2 * latency.cache, `${apart}`);
});

Deno.test("workgroup memory and barriers: the waves of a workgroup wait for one another", () => {
  const work = Array.from({ length: 50 }, () => multiplyAdd).join("\n");
  const code = `
	v_lshlrev_b32_e32 v1, 7, v0
	ds_read_b32 v2, v1
${work}
	s_barrier
${work}
	s_endpgm`;
  const one = run(code);
  const four = run(code, { size: [512, 1, 1] }); // 8 waves, 4 a SIMD
  assert.equal(one.shared, 64);
  assert.equal(one.barriers, 1);
  assert.ok(one.path > 200 && one.path < 210, `${one.path}`);
  assert.ok(four.path > 4 * 200 && four.path < 4 * 210, `${four.path}`);
});

Deno.test("a store changes no register, and loads leave the scalar condition as it is", () => {
  const { multiplyAdds, guesses } = run(`
	v_lshlrev_b32_e32 v1, 4, v0
	s_mov_b64 s[0:1], exec
BB1:
	s_mov_b64 s[6:7], exec
	v_cmpx_le_u32_e32 0x2000, v1
	s_andn2_b64 s[6:7], s[6:7], exec
	s_buffer_load_dword s9, s[8:11], null
	ds_read_b32 v9, v1
	s_cbranch_scc0 BB10
	s_mov_b64 exec, s[6:7]
	ds_write_b128 v1, v[4:7]
	buffer_store_dword v1, v0, s[8:11], 0 offen
${multiplyAdd}
	v_add_nc_u32_e32 v1, 0x400, v1
	s_branch BB1
BB10:
	s_endpgm`);
  assert.deepEqual([multiplyAdds, guesses], [8 * 64, 0]);
});

Deno.test("a wave that never ends is given up", () => {
  const endless = prepare(parseProgram("BB1:\n\tv_add_f32_e32 v1, v2, v3\n\ts_branch BB1\n\ts_endpgm"));
  assert.equal(follow(endless, where, chips.navi21), undefined);
});
