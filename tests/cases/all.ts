/**
 * Every table in one list.
 */
import { batchnormCases } from "./batchnorm.ts";
import { biasCases } from "./bias.ts";
import type { Case } from "./case.ts";
import { clipCases } from "./clip.ts";
import { concatCases } from "./concat.ts";
import { conv2dCases } from "./conv2d.ts";
import { deconv2dCases } from "./deconv2d.ts";
import { eltwiseCases } from "./eltwise.ts";
import { eluCases } from "./elu.ts";
import { erfCases } from "./erf.ts";
import { fcCases } from "./fc.ts";
import { functionCases } from "./functions.ts";
import { binaryCases, matmulCases, meanCases, padCases, transposeCases } from "./items.ts";
import { lrnCases } from "./lrn.ts";
import { lstmCases } from "./lstm.ts";
import { avgpoolCases, maxpoolCases } from "./pool.ts";
import { powerCases } from "./power.ts";
import { preluCases } from "./prelu.ts";
import { reluCases } from "./relu.ts";
import { resampleCases } from "./resample.ts";
import { resizeCases } from "./resize.ts";
import { roundCases } from "./round.ts";
import { scaleCases } from "./scale.ts";
import { cropCases, dropoutCases, flattenCases, reshapeCases } from "./shape_ops.ts";
import { sigmoidCases } from "./sigmoid.ts";
import { sliceCases } from "./slice.ts";
import { logsoftmaxCases, softmaxCases } from "./softmax.ts";
import { tanhCases } from "./tanh.ts";
import { warpCases } from "./warp.ts";

/** All cases of all layer types. */
export const allCases = [
  ...conv2dCases,
  ...deconv2dCases,
  ...fcCases,
  ...reluCases,
  ...sigmoidCases,
  ...tanhCases,
  ...maxpoolCases,
  ...avgpoolCases,
  ...lrnCases,
  ...lstmCases,
  ...concatCases,
  ...eltwiseCases,
  ...scaleCases,
  ...batchnormCases,
  ...softmaxCases,
  ...logsoftmaxCases,
  ...functionCases,
  ...erfCases,
  ...roundCases,
  ...clipCases,
  ...binaryCases,
  ...matmulCases,
  ...meanCases,
  ...padCases,
  ...transposeCases,
  ...dropoutCases,
  ...flattenCases,
  ...reshapeCases,
  ...cropCases,
  ...resampleCases,
  ...resizeCases,
  ...powerCases,
  ...preluCases,
  ...eluCases,
  ...biasCases,
  ...sliceCases,
  ...warpCases,
] as Case[];
