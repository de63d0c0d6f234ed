/**
 * The figures of two threads beside one, as a user sets them.
 *
 * A sample counts only if every thread had a core to itself: the time that the process had on cores is then as many
 * times the time that passed. A page in a browser does not know that time.
 *
 * @module
 */

import { setNumThreads } from "../mod.ts";
import { digits, type Figure } from "./figure.ts";
import { inputOf, layerOf } from "./linear_contestants.ts";
import { linearProblem, type LinearShape, operations, shapeName } from "./linear_problem.ts";
import { progress } from "./progress.ts";
import { median } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";

/** A batch of tokens, a few, and one by weights that come from memory. */
const SHAPES: readonly LinearShape[] = [
  { m: 60, k: 768, n: 768, isCached: true },
  { m: 60, k: 512, n: 512, isCached: true },
  { m: 60, k: 3072, n: 768, isCached: true },
  { m: 8, k: 1024, n: 1024, isCached: true },
  { m: 1, k: 768, n: 768, isCached: true },
  { m: 1, k: 4096, n: 4096, isCached: false },
];

/** The shape that has a bar. */
const JUDGED = SHAPES[0];
const BAR = { least: 1.8 };

/** Threads that take turns. */
const COUNTS = [1, 2] as const;

/** Milliseconds until a thread that was asked for is there, and in which its code is compiled for speed. */
const START = 100;
const WARM_UP = 400;

/** Milliseconds of a sample, and how many are taken in one turn. */
const SAMPLE = 10;
const SAMPLES = 10;

/** A sample counts if the process had this part of as many cores as it has threads. */
const OWN_TIME = 0.95;

/** With fewer samples that count than this, all of them stand for them. */
const ENOUGH = 9;

interface Sample {
  /** Of one run. */
  readonly milliseconds: number;
  /** Time on cores over time. */
  readonly cores: number;
}

/** Times every shape. */
export async function threadFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const shape of SHAPES) {
    const name = shapeName(shape);
    await progress(`threads ${name}`);
    const [one, two] = await timesOf(shape, options);
    const speed = (milliseconds: number) => digits(operations(shape) / milliseconds / 1e6);
    figures.push({
      what: `${name} on two threads: × one thread's speed`,
      value: one.milliseconds / two.milliseconds,
      isQuiet: one.isQuiet && two.isQuiet,
      bar: shape === JUDGED ? BAR : undefined,
      note: `${speed(one.milliseconds)} and ${speed(two.milliseconds)} GFLOP/s`,
    });
  }
  setNumThreads(1);
  return figures;
}

/** Milliseconds of a forward on each number of threads. */
async function timesOf(
  shape: LinearShape,
  { seconds, ownTime }: SectionOptions,
): Promise<readonly { readonly milliseconds: number; readonly isQuiet: boolean }[]> {
  const problem = linearProblem(shape);
  const [layer, x] = [layerOf(problem), inputOf(problem)];
  const run = () => layer.forward(x);
  const samples = COUNTS.map((): Sample[] => []);
  const end = performance.now() + 1000 * seconds;
  do {
    for (const [i, count] of COUNTS.entries()) {
      setNumThreads(count);
      // A page starts a thread only where its own script pauses.
      await new Promise((resolve) => setTimeout(resolve, START));
      for (const start = performance.now(); performance.now() - start < WARM_UP;) run();
      for (let sample = 0; sample < SAMPLES; sample++) samples[i].push(take(run, ownTime));
    }
  } while (performance.now() < end);
  return samples.map((all, i) => {
    const quiet = all.filter(({ cores }) => cores >= OWN_TIME * COUNTS[i]);
    const isQuiet = quiet.length >= ENOUGH;
    return { milliseconds: median((isQuiet ? quiet : all).map(({ milliseconds }) => milliseconds)), isQuiet };
  });
}

function take(run: () => unknown, ownTime: SectionOptions["ownTime"]): Sample {
  const before = ownTime?.() ?? 0;
  const start = performance.now();
  let runs = 0;
  for (; performance.now() - start < SAMPLE; runs++) run();
  const milliseconds = performance.now() - start;
  return {
    milliseconds: milliseconds / runs,
    cores: ownTime === undefined ? Infinity : (ownTime() - before) / milliseconds,
  };
}
