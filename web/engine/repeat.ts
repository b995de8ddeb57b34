/** A picture that was dropped, to be made again by what it says of itself. */
import { type Box, type Device, fieldBox, sortInputs } from "../../src/mod.ts";
import { decodeCode, type PictureRecord } from "../../src/record/record.ts";
import {
  checkModels,
  inputsOf,
  type Job,
  type Request,
  requestOf,
  settleRequest,
  wantsGenerator,
} from "../../src/record/request.ts";
import type { Pair } from "./pair.ts";
import { valueCount } from "../../src/formats/shape.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Wanted } from "./messages.ts";

/** What makes it again. */
export interface Again {
  request: Request;
  job: Job;
  shown: readonly number[];
  box?: Box;
  start?: { file: string; codes: Float32Array[] };
  bounds?: { file: string; values: Float32Array };
  wanted: Wanted;
  note?: string;
}

/** How a record's picture is made again. @throws UserError where these are not its models. */
export function again(record: PictureRecord, file: string, models: Pair, device: Device): Again {
  if (record.own) throw new UserError(`${file} was made with kernels of somebody's own, which a page does not have`);
  if (record.frames !== undefined) {
    throw new UserError(`${file} is of a film, which a page does not draw; synth --from draws it again`);
  }
  const request = requestOf(record, file);
  const { classifier } = models;
  checkModels(request, wantsGenerator(request, classifier) ? models : { classifier });
  const job = settleRequest(request, models);
  const [{ items, settings, generator }] = job.rows;
  const { keep } = request.repeats!;
  const size = valueCount(generator.network.inputs[0].shape);
  const { start, bounds } = record;
  return {
    request,
    job,
    shown: [keep],
    box: request.crop &&
      fieldBox(models.classifier, items[keep].target, sortInputs(models, inputsOf(request)).classifier.free.name),
    start: start && {
      file: start.file,
      codes: items.map((item) => decodeCode((item.start ?? start).code, size, file)),
    },
    bounds: bounds && { file: bounds.file, values: decodeCode(bounds.code, [size, 2 * size], file, "what bounds it") },
    wanted: {
      method: record.method,
      layer: record.layer,
      units: record.units ?? [],
      together: (record.units?.length ?? 0) > 1 || undefined,
      target: record.units ? undefined : record.target,
      seeds: [record.seed],
      wishes: { ...settings, sigmas: bounds ? 0 : settings.sigmas || (generator.network.code?.sigmas ?? 0) },
    },
    note: notesOn(record, file, device).join(" ") || undefined,
  };
}

/** What may surprise about it. */
function notesOn({ adapter, iterations = 0, result }: PictureRecord, file: string, { name }: Device): string[] {
  return [
    ...adapter === name ? [] : [`${file} was made on ${adapter}, this is ${name}: details may differ.`],
    ...result.iterations < iterations
      ? [`${file} was saved after ${result.iterations} of ${iterations} iterations; this is the whole search.`]
      : [],
  ];
}
