/**
 * The figures of small calls, in microseconds, and whether memory stays flat in a million of them.
 *
 * @module
 */

import { callMatches } from "./call_matches.ts";
import { type Bar, digits, type Figure } from "./figure.ts";
import { linearPeers } from "./linear_contestants.ts";
import { runScript } from "./process.ts";
import { progress } from "./progress.ts";
import { timeInTurns, type Timing } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";

/** Microseconds, by the contestant. */
const BARS: Readonly<Record<string, Bar>> = { "Linear.forward": { most: 0.5 }, "Model.forward": { most: 2.5 } };

/** Times the calls, and watches memory. */
export async function callFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { work, floor, ours, peers } of await callMatches(await linearPeers())) {
    progress(work);
    const [mine, ...others] = await timeInTurns([ours, floor, ...peers], options);
    figures.push({
      what: `${work}: µs a call`,
      value: 1000 * mine.milliseconds,
      isQuiet: mine.isQuiet,
      bar: BARS[ours.name],
      note: others.map(besideText).join(", "),
    });
  }
  progress("a million forward passes");
  const { wasm, process } = JSON.parse(await runScript("million_forwards.ts", ["--json"]));
  figures.push({ what: "a million forward passes: growth of wasm memory, MB", value: wasm, bar: { most: 0 } });
  figures.push({ what: "a million forward passes: growth of the process, MB", value: process, bar: { most: 8 } });
  return figures;
}

function besideText({ name, milliseconds }: Timing): string {
  return `${name.replace("floor: ", "")} ${digits(1000 * milliseconds)}`;
}
