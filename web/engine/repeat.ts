/** A picture that was dropped, to be made again by what it says of itself. */
import type { Device } from "../../src/mod.ts";
import { decodeCode, type PictureRecord } from "../../src/record/record.ts";
import { checkModels, type Job, type Request, requestOf, settingsOf, settleRequest } from "../../src/record/request.ts";
import type { Pair } from "./pair.ts";
import { valueCount } from "../../src/formats/shape.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Wanted } from "./messages.ts";

/** What makes it again. */
export interface Again {
  request: Request;
  job: Job;
  shown: readonly number[];
  start?: { file: string; codes: Float32Array[] };
  bounds?: { file: string; values: Float32Array };
  wanted: Wanted;
  note?: string;
}

/** How a record's picture is made again. @throws UserError where these are not its models. */
export function again(record: PictureRecord, file: string, models: Pair, device: Device): Again {
  if (record.own) throw new UserError(`${file} was made with kernels of somebody's own, which a page does not have`);
  const request = requestOf(record, file);
  const { classifier } = models, learned = settingsOf(request, record.method, classifier).prior === "learned";
  checkModels(request, learned ? models : { classifier });
  const job = settleRequest(request, models), [{ items, settings, generator }] = job.rows, { keep } = request.repeats!;
  const size = valueCount(generator.network.inputs[0].shape), { start, bounds, adapter } = record;
  return {
    request,
    job,
    shown: [keep],
    start: start && {
      file: start.file,
      codes: items.map((item) => decodeCode((item.start ?? start).code, size, file)),
    },
    bounds: bounds && { file: bounds.file, values: decodeCode(bounds.code, [size, 2 * size], file, "what bounds it") },
    wanted: {
      layer: record.layer,
      units: record.units ?? [],
      target: record.target,
      seeds: [record.seed],
      wishes: settings,
    },
    note: adapter === device.name
      ? undefined
      : `${file} was made on ${adapter}, this is ${device.name}: details may differ.`,
  };
}
