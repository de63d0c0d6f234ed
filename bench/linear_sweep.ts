/**
 * `deno run bench/linear_sweep.ts`: the kernel of linear layers over K and over M, to find sizes that fall out of line.
 *
 * Every figure is the part of the madd peak that a size reaches. What makes a cliff is a size much slower than those
 * beside it: the last line names the worst one, as a part of the median of its four neighbours, by operations or by
 * calls, whichever is kinder: the smallest sizes take the same time whatever they have to do.
 *
 * @module
 */

import { BareCore, type LinearSize, PEAK_OPERATIONS } from "./core.ts";
import type { Figure } from "./figure.ts";
import { operations, shapeName } from "./linear_problem.ts";
import { progress } from "./progress.ts";
import { median } from "./rounds.ts";

/** The largest operands of the sweep, in elements. */
const LARGEST = { k: 5000, n: 96, m: 40 };

/** Milliseconds of one sample. */
const SAMPLE = 0.3;

/** Samples of a size in one pass over all sizes, of which the best counts: a neighbour only ever adds time. */
const SAMPLES = 4;

/** Passes over all sizes: what slows a size down in one has gone in the next. */
const PASSES = 4;

/** Turns of the peak's own sample. */
const PEAK_TURNS = 100_000;

/** Sizes on each side that a size is compared with. */
const NEIGHBOURS = 2;

/** The part of its neighbours' speed that a size must have, in per cent. */
const BAR = 60;

/** A size and the operations it does in a millisecond. */
interface Point {
  readonly size: LinearSize;
  readonly speed: number;
}

/** The size of a sweep that falls most out of line. */
interface Worst {
  readonly size: LinearSize;
  /** Its speed, in per cent of that of its neighbours. */
  readonly percent: number;
}

if (import.meta.main) {
  const { peak, sweeps } = measure();
  for (const points of sweeps) {
    const figures = points.map(({ size, speed }) => `${shapeName(size)} ${(100 * speed / peak).toFixed(0)}`);
    console.log(figures.join(", "));
    const { size, percent } = worst(points);
    const verdict = percent >= BAR ? "no cliff" : "a cliff";
    console.log(`→ ${verdict}: ${shapeName(size)} has ${percent.toFixed(0)} % of its neighbours' speed\n`);
  }
}

/** The worst size of all sweeps, as a figure of the report. */
export async function sweepFigures(): Promise<readonly Figure[]> {
  await progress("sweep");
  const { size, percent } = measure().sweeps.map(worst).reduce((worst, next) =>
    next.percent < worst.percent ? next : worst
  );
  const what = "sweep over K and M, worst shape: % of its neighbours' speed";
  return [{ what, value: percent, bar: { least: BAR }, note: shapeName(size) }];
}

/** Every sweep, and the operations of the peak in a millisecond. */
function measure(): { readonly peak: number; readonly sweeps: readonly (readonly Point[])[] } {
  const core = new BareCore();
  const { m, k, n } = LARGEST;
  // Written, or all of it would be one page of zeros that the system keeps for what was never written.
  const place = (count: number) => core.place(new Float32Array(count).fill(0.5));
  const addresses = [place(m * k), place(n * k), place(n), place(m * n)] as const;
  const speedOf = (size: LinearSize) => operations(size) / best(() => core.linear(size, addresses));
  const faster = ({ size, speed }: Point) => ({ size, speed: Math.max(speed, speedOf(size)) });
  const peak = PEAK_TURNS * PEAK_OPERATIONS / best(() => core.peak(PEAK_TURNS));
  const ks = steps(k);
  const sweeps = [1, 2, 7, 8, 40].map((m) => ks.map((k) => ({ m, k, n })));
  for (const k of [10, 100, 768, 1023, 1024]) {
    sweeps.push(Array.from({ length: LARGEST.m }, (_, i) => ({ m: i + 1, k, n })));
  }
  let points: readonly (readonly Point[])[] = sweeps.map((sizes) => sizes.map((size) => ({ size, speed: 0 })));
  for (let pass = 0; pass < PASSES; pass++) points = points.map((sweep) => sweep.map(faster));
  return { peak, sweeps: points };
}

/** 1, 3, 5, … while steps are what matters, then ever larger odd steps, and the even numbers that caches dislike. */
function steps(last: number): readonly number[] {
  const result: number[] = [];
  for (let k = 1; k <= last; k += Math.max(2, 2 * Math.floor(k / 40))) result.push(k);
  for (let k = 256; k <= last; k *= 2) result.push(k - 4, k, k + 4);
  return result.toSorted((a, b) => a - b);
}

function worst(points: readonly Point[]): Worst {
  return points.map((point, i) => {
    const near = points.slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS + 1).filter((other) => other !== point);
    const byOperations = point.speed / median(near.map(({ speed }) => speed));
    const byCalls = median(near.map(timeOf)) / timeOf(point);
    return { size: point.size, percent: 100 * Math.max(byOperations, byCalls) };
  }).reduce((worst, next) => next.percent < worst.percent ? next : worst);
}

function timeOf({ size, speed }: Point): number {
  return operations(size) / speed;
}

/** Milliseconds of one run. */
function best(run: () => void): number {
  let repeats = 1;
  let least = Infinity;
  for (let samples = 0; samples < SAMPLES;) {
    const started = performance.now();
    for (let j = 0; j < repeats; j++) run();
    const taken = performance.now() - started;
    // A clock with steps, as a page has it, may not see a single run at all.
    if (taken < SAMPLE / 2) {
      repeats *= 2;
    } else {
      least = Math.min(least, taken / repeats);
      samples++;
    }
  }
  return least;
}
