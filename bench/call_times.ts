/**
 * The figures of small calls that are times, in microseconds.
 *
 * @module
 */

import { callMatches } from "./call_matches.ts";
import { type Bar, digits, type Figure } from "./figure.ts";
import { linearPeers } from "./linear_contestants.ts";
import { progress } from "./progress.ts";
import { timeInTurns, type Timing } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";

/** Microseconds, by the contestant. */
const BARS: Readonly<Record<string, Bar>> = { "Linear.forward": { most: 0.5 }, "Model.forward": { most: 2.5 } };

/** Times the calls. */
export async function callTimes(options: SectionOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { work, floor, ours, peers } of await callMatches(await linearPeers())) {
    await progress(work);
    const [mine, ...others] = await timeInTurns([ours, floor, ...peers], options);
    figures.push({
      what: `${work}: µs a call`,
      value: 1000 * mine.milliseconds,
      isQuiet: mine.isQuiet,
      bar: BARS[ours.name],
      note: others.map(besideText).join(", "),
    });
  }
  return figures;
}

function besideText({ name, milliseconds }: Timing): string {
  return `${name.replace("floor: ", "")} ${digits(1000 * milliseconds)}`;
}
