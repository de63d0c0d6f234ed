/**
 * The figure of two threads: how much faster than one they are, on a machine that has two cores to spare.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import { setNumThreads } from "../mod.ts";
import type { Figure } from "./figure.ts";
import { inputOf, layerOf } from "./linear_contestants.ts";
import { linearProblem, shapeName } from "./linear_problem.ts";
import { progress } from "./progress.ts";
import { median, timeInTurns } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";

/** A batch of tokens by an encoder layer. */
const SHAPE = { m: 60, k: 768, n: 768, isCached: true };

/** Turns of one thread and of two; a turn is a run of samples, as threads are not started and stopped in between. */
const TURNS = 5;

/** Milliseconds until a thread that was just asked for is there. */
const START = 100;

/** How many times as fast. */
const BAR = { least: 1.8 };

/** Times one layer on one thread and on two, in turns. */
export async function threadFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const problem = linearProblem(SHAPE);
  const [layer, x] = [layerOf(problem), inputOf(problem)];
  const forward = { name: "Linear.forward", isAsync: false, isElsewhere: true, run: () => layer.forward(x) };
  const times = new Map<number, number[]>([[1, []], [2, []]]);
  let isQuiet = true;
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [threads, taken] of times) {
      progress(`${threads} threads, turn ${turn + 1} of ${TURNS}`);
      setNumThreads(threads);
      await setTimeout(START);
      const [timing] = await timeInTurns([forward], { ...options, seconds: options.seconds / TURNS });
      isQuiet &&= timing.isQuiet;
      taken.push(timing.milliseconds);
    }
  }
  setNumThreads(1);
  const [one, two] = Array.from(times.values(), median);
  const note = `${one.toFixed(2)} and ${two.toFixed(2)} ms`;
  return [{ what: `${shapeName(SHAPE)}, two threads: × one thread`, value: one / two, isQuiet, bar: BAR, note }];
}
