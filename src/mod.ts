/**
 * Phosphene: what a neuron wants to see, on any GPU. A tensor runtime on WebGPU with hand-written kernels and their
 * gradients, and the search of "Synthesizing the preferred inputs for neurons in neural networks via deep generator
 * networks" (Nguyen et al. 2016) on top of it.
 *
 * ```ts
 * import { fetchModel, openDevice, search } from "./src/mod.ts"; // in a page: "./dist/phosphene.js"
 *
 * const device = await openDevice();
 * const { items } = await search(device, {
 *   generator: await fetchModel("https://example.org/models/deepsim64"),
 *   classifier: await fetchModel("https://example.org/models/caffenet64"),
 *   targets: [{ units: [945], seed: 0 }],
 *   onProgress: ({ iteration, top }) => console.log(iteration, top?.[0].name),
 * });
 * const { width, height, rgb } = items[0].picture;
 * console.log(`${width} × ${height} pixels, ${rgb.length} levels`);
 * ```
 *
 * These are the names that a program needs, in the order in which it meets them. All others are what they take and give, and what
 * tools are made of.
 *
 * 1. `openDevice`: the GPU, or what stands in for one.
 * 2. `fetchModel`, `loadModel`: a network, from an address or by a function that reads its files.
 * 3. `searchedUnits`, `layersOf`: the units and layers that there are; `labelOf`: a unit's name.
 * 4. `search`: pictures of what units want to see. `SearchOptions` says what may be asked for,
 *    `Progress` what is told on the way, `Change` what may be answered, `SearchResult` what comes out.
 * 5. `methods`: the settings of published methods; `settings`: every setting with its range.
 * 6. `Net`: any network by itself, with gradients to its input and its weights; `pictureToInput`,
 *    `inputToPicture` and `rank`: between pictures, its values, and its strongest units.
 * 7. `tune`, `tuned`: the ways that are the fastest here, and their choice.
 * 8. `UserError`: one sentence on what cannot be done as asked; `GpuError`: what the GPU could not do.
 *
 * @module
 */
import "./older_engines.ts";
export type { Fitting as PictureFitting } from "./formats/fit.ts";
export type { StoredTensor } from "./formats/safetensors.ts";
export { UserError } from "./formats/user_error.ts";
export { Device, type DeviceOptions, openDevice } from "./gpu/device.ts";
export { GpuError, type GpuErrorKind } from "./gpu/error.ts";
export { measurePeak, type Peak } from "./gpu/probe.ts";
export type { Adapter, Caps, Feature, Storage } from "./gpu/adapter.ts";
export {
  type Binding,
  type Call,
  type ElementCall,
  type Epilogue,
  type Kernel,
  type OwnProgram,
  read,
  update,
  type WorkgroupCall,
  write,
} from "./gpu/call.ts";
export type { Step } from "./gpu/compile.ts";
export { type Format, formats, type Memory, type Shape4, type Tensor } from "./gpu/tensor.ts";
export {
  endsInSoftmax,
  fetchModel,
  isTrained,
  labelOf,
  lastName,
  layerUnits,
  loadModel,
  type Model,
  type ReadFile,
  searchedUnits,
  sequenceLayerOf,
  type UnitLayer,
} from "./net/model.ts";
export type { Value } from "./net/graph.ts";
export type { OnBytes } from "./net/fetch_files.ts";
export { type LayerInfo, layersOf } from "./net/layers.ts";
export { asAmong, Unlike } from "./net/alike.ts";
export { type Distance, distances } from "./net/distances.ts";
export { type Choose, chooseCheapest, type LayerWays, type Question, type Subject } from "./net/choose.ts";
export { beyondFloat16, beyondFloat32, firstNonFinite } from "./net/finite.ts";
export { Net, type NetInput, type NetOptions } from "./net/net.ts";
export type { CodeFormat, ImageFormat, LayerSpec, Network, SearchSettings } from "./net/network.ts";
export { fitted, fittingOf, inputOf } from "./net/fitted.ts";
export { imageFormat, inputToPicture, type Picture, pictureToInput } from "./net/picture.ts";
export type { Plan, PlanMemory, PlannedMemory, PlanTensors } from "./net/plan.ts";
export type { FusedLayer } from "./net/fuse.ts";
export type { PlannedLayer } from "./net/backward.ts";
export type { PlannedKernel, Replace } from "./net/kernels.ts";
export type { Affine } from "./ops/affine.ts";
export type { Fields } from "./ops/fields.ts";
export {
  type AffineFold,
  type Arithmetic,
  arithmetics,
  type HostTensor,
  type Node,
  type Op,
  type PackedTensor,
  type Position,
  type Reach,
  type Shape,
  type Task,
  type WeightStorage,
} from "./ops/op.ts";
export type { WeightGradient, WeightGradients } from "./ops/conv/weight_gradient.ts";
export type { Spots } from "./ops/spots.ts";
export { addWays, type OwnWays, type OwnWaysOfOp } from "./ops/own_ways.ts";
export { type Backward, type Candidate, describe, type Forward, type Sizes, type Way } from "./ops/way.ts";
export { type Box, fieldBox } from "./synth/crop.ts";
export type { ImageName, Prior, Size } from "./synth/images/image.ts";
export { type MethodName, methodNames, methods } from "./synth/methods/table.ts";
export { meanColour, occluded, type Region, regionOf, windowsOver } from "./synth/occlusion.ts";
export { type Fit, fits, type Fitting, type Interpolated, interpolations } from "./synth/fits.ts";
export { type Feed, type GivenInputs, type Input, type Inputs, type Role, sortInputs } from "./synth/inputs.ts";
export type { Directions } from "./synth/objective.ts";
export type { Arguments, Objective, Takes, Wgsl, Where } from "./synth/objectives/objective.ts";
export { type Kind, objectives } from "./synth/objectives/table.ts";
export { rank } from "./synth/result.ts";
export { quoted, settingWords } from "./synth/words.ts";
export { uniforms } from "./synth/random.ts";
export type { Joining } from "./synth/joined.ts";
export { hasViews } from "./synth/views.ts";
export { boundsOn, codeBounds, searchDefaults, type SearchOptions, suitable, type Target } from "./synth/options.ts";
export { MOST_FRAMES } from "./synth/film/frames.ts";
export type { Orders } from "./synth/film/order.ts";
export { encode } from "./synth/encode.ts";
export { despiteLosses, type Loss } from "./synth/losses.ts";
export { type Change, type Lasting, lasting } from "./synth/change.ts";
export {
  checkSearch,
  type Film,
  fittingsOf,
  type Progress,
  type Ranked,
  search,
  type SearchItem,
  type SearchMemory,
  type SearchResult,
} from "./synth/search.ts";
export type { AnySetting, Circumstances, Ground, NumberSetting, WordSetting } from "./synth/setting.ts";
export {
  allows,
  decide,
  defaultsOf,
  lastSeed,
  mayBe,
  optionOf,
  type SettingName,
  settingNames,
  type Settings,
  settings,
  unbounded,
} from "./synth/settings.ts";
export type { Rule } from "./synth/rules/table.ts";
export { hasSizes, imageModel, sizeOf } from "./synth/stages.ts";
export { parseTarget, showTarget, type TargetSum, type Term, termsOf, unitsTarget } from "./synth/target.ts";
export { loadWays, saveWays } from "./tune/page.ts";
export {
  type Tunable,
  tune,
  type TunedLayer,
  type TuneOptions,
  type TuneProgress,
  type TuneReport,
} from "./tune/tune.ts";
export type { WholeTimes } from "./tune/whole.ts";
export { type Chosen, tuned } from "./tune/tuned.ts";
export { type Entry, mergeWays, type Pick, readWays, type TunedWays, writeWays } from "./tune/ways_file.ts";
