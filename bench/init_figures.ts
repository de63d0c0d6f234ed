/**
 * The figures of initialisation and construction.
 *
 * @module
 */

import type { Bar, Figure } from "./figure.ts";
import { constructMatches, initMatches } from "./init_matches.ts";
import type { Match } from "./match.ts";
import { Torch } from "./peers/torch.ts";
import { progress } from "./progress.ts";
import { timeInTurns, type Timing } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";

/** The time of an initialiser over PyTorch's, by the initialiser. */
const INIT_BARS: Readonly<Record<string, Bar>> = { xavierUniform_: { most: 1 }, normal_: { most: 1.5 } };

/** Milliseconds of a construction, by the contestant: what is last passes over the draws of 1 GiB. */
const CONSTRUCT_BARS: Readonly<Record<string, Bar>> = { "new model, last layer drawn": { most: 300 } };

/** Times the initialisers and the constructions. */
export async function initFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const torch = await Torch.start();
  const figures: Figure[] = [];
  for (const match of await initMatches(torch)) {
    const { ours, floor, others } = await timings(match, options);
    const theirs = others.find(({ name }) => name.startsWith("torch"));
    figures.push({
      what: `${match.work}: time over torch's`,
      value: theirs === undefined ? null : ours.milliseconds / theirs.milliseconds,
      isQuiet: ours.isQuiet && theirs?.isQuiet,
      bar: INIT_BARS[match.ours.name],
      note: `${ours.milliseconds.toFixed(0)} ms; ${[floor, ...others].map(besideText).join(", ")}`,
    });
  }
  for (const match of constructMatches(torch)) {
    const { ours, floor, others } = await timings(match, options);
    figures.push({
      what: `${match.work}: ms`,
      value: ours.milliseconds,
      isQuiet: ours.isQuiet,
      bar: CONSTRUCT_BARS[match.ours.name],
      note: [floor, ...others].map(besideText).join(", "),
    });
  }
  await torch?.stop();
  return figures;
}

function besideText({ name, milliseconds }: Timing): string {
  return `${name.replace("floor: ", "")} ${milliseconds.toFixed(0)}`;
}

interface MatchTimings {
  readonly floor: Timing;
  readonly ours: Timing;
  readonly others: readonly Timing[];
}

async function timings({ work, floor, ours, peers }: Match, options: SectionOptions): Promise<MatchTimings> {
  await progress(work);
  const [least, mine, ...others] = await timeInTurns([floor, ours, ...peers], options);
  return { floor: least, ours: mine, others };
}
