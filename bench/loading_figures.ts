/**
 * The figures of loading: a gigabyte into a model, casts and transposes, and opening a file of many tensors.
 *
 * @module
 */

import { rmSync } from "node:fs";
import { conversionLoadMatches, conversionMatches } from "./conversion_matches.ts";
import type { Bar, Figure } from "./figure.ts";
import { gigabyteFigures } from "./load_gigabyte.ts";
import { manyFigures } from "./many_tensors.ts";
import type { Match } from "./match.ts";
import { progress } from "./progress.ts";
import { timeInTurns } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";

/** Per cent of the speed of `memcpy`. */
const CAST_BAR = { least: 60 };
const TRANSPOSE_BAR = { least: 25 };

/** A gigabyte into a model. */
export function gigabyteSection(): Promise<readonly Figure[]> {
  return inFolder(gigabyteFigures);
}

/** Casts, transposes and files of many tensors. */
export function conversionSection(options: SectionOptions): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const [kernels, loads] = [conversionMatches(), await conversionLoadMatches(folder)];
    return [
      ...await figuresOf(kernels.casts, { ...options, bar: CAST_BAR }),
      ...await figuresOf(kernels.transposes, { ...options, bar: TRANSPOSE_BAR }),
      // The bar of casts is the kernel's: a load reads the file as well.
      ...await figuresOf(loads.casts, options),
      ...await figuresOf(loads.transposes, { ...options, bar: TRANSPOSE_BAR }),
      ...await manyFigures(folder),
    ];
  });
}

async function figuresOf(
  matches: readonly Match[],
  { bar, ...options }: SectionOptions & { readonly bar?: Bar },
): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { work, floor, ours } of matches) {
    await progress(work);
    const [least, mine] = await timeInTurns([floor, ours], options);
    figures.push({
      what: `${work}: % of memcpy`,
      value: 100 * least.milliseconds / mine.milliseconds,
      isQuiet: mine.isQuiet && least.isQuiet,
      bar,
      note: `${mine.milliseconds.toFixed(0)} ms`,
    });
  }
  return figures;
}

async function inFolder(measure: (folder: string) => Promise<readonly Figure[]>): Promise<readonly Figure[]> {
  const folder = Deno.makeTempDirSync({ prefix: "graft-bench-" });
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
