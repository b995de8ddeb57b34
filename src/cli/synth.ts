/** `deno task synth`: pictures of what units of a classifier want to see. */
import { isTrained, labelOf, type Model, search, type SearchResult } from "../mod.ts";
import { main, print, warn } from "./command.ts";
import { adapterOption, openAdapter, openClassifier, openGenerator, version } from "./defaults.ts";
import { checkOutputs, writeOutputs } from "./files.ts";
import { abortOnInterrupt, interrupted } from "./interrupt.ts";
import { progress, stderrScreen, terminalColumns } from "./progress.ts";
import { outputFiles, renderFiles, spaceNeeded } from "./synth_files.ts";
import { checkUnits, type Request, requestFrom, requestOf, startingCodes } from "./synth_request.ts";
import { halfBlocks, stderrShowsColours } from "./terminal.ts";
import { describe, report, topList } from "./synth_report.ts";
