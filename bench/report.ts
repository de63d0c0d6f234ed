/**
 * `deno task bench:report [seconds]`: the table of the README. Every number is a ratio between contestants that took
 * turns in this run, on one thread: nothing depends on how fast the machine is, little on who else uses it.
 *
 * The seconds are what one shape may take; 5 by default. A `~` marks a number from too few quiet moments.
 *
 * @module
 */

import type { Contestant } from "./contestant.ts";
import { BareCore, PEAK_OPERATIONS } from "./core.ts";
import { KERNEL, linearContestants, linearPeers, OURS, OURS_COPIED } from "./linear_contestants.ts";
import { LINEAR_SHAPES, linearProblem, type LinearShape, operations, shapeName } from "./linear_problem.ts";
import { onnxruntime } from "./peers/onnxruntime.ts";
import type { LinearPeer } from "./peers/peer.ts";
import { Canary, timeInTurns, type Timing } from "./rounds.ts";
import { table } from "./table.ts";

/** How much faster than the better peer we mean to be wherever the weights fit in cache. */
const BAR = 1.4;

/** Turns of one sample of the peak: about a millisecond on a current core. */
const PEAK_TURNS = 500_000;

/** Seconds that one shape may take. */
const SECONDS = 5;

/** The peak as a contestant. */
const PEAK = "madd peak";

/** How long everyone took for one shape. */
interface Measured {
  readonly shape: LinearShape;
  readonly timings: ReadonlyMap<string, Timing>;
}

/** Ours over theirs. */
interface Ratio {
  readonly value: number;
  readonly isQuiet: boolean;
}

if (import.meta.main) await main(Number(Deno.args[0] ?? SECONDS));

async function main(seconds: number): Promise<void> {
  const core = new BareCore();
  const canary = new Canary(core);
  const peers = await linearPeers();
  const measured: Measured[] = [];
  for (const shape of LINEAR_SHAPES) {
    const peak: Contestant = {
      name: PEAK,
      isAsync: false,
      run: () => core.peak(PEAK_TURNS),
    };
    const contestants = await linearContestants(linearProblem(shape), { core, peers });
    const timings = await timeInTurns([peak, ...contestants], { canary, seconds });
    measured.push({ shape, timings: new Map(timings.map((timing) => [timing.name, timing])) });
  }
  print(measured, peers);
}

function print(measured: readonly Measured[], peers: readonly LinearPeer[]): void {
  const names = peers.map(({ name }) => name);
  // What limits the peak is one core's clock, so that the run's best is the machine's.
  const peak = PEAK_TURNS * PEAK_OPERATIONS /
    Math.min(...measured.map((at) => timingOf(at, PEAK).milliseconds));
  const rows = measured.map((at) => {
    const percent = (name: string) => {
      const { milliseconds, isQuiet } = timingOf(at, name);
      return mark((100 * operations(at.shape) / milliseconds / peak).toFixed(1), isQuiet);
    };
    return [
      shapeName(at.shape),
      ...[OURS, KERNEL, ...names].map(percent),
      ratioText(ratio(at, OURS, names)),
      ratioText(ratio(at, OURS_COPIED, names.filter((name) => name === onnxruntime.name))),
    ];
  });
  const versions = peers.map(({ name, version }) => `${name} ${version}`);
  const headings = ["M×K×N", OURS, KERNEL, ...versions, "ours / better peer", `with copies / ${onnxruntime.name}`];
  console.log(`\nThe columns of names are % of the madd peak, the others are how many times as fast.\n`);
  console.log(table(headings, rows));
  if (peers.length > 0) console.log(`\n${verdict(measured, names)}`);
}

function verdict(measured: readonly Measured[], peers: readonly string[]): string {
  const cached = measured.filter(({ shape }) => shape.isCached);
  const below = cached.filter((at) => (ratio(at, OURS, peers)?.value ?? 0) < BAR).map(({ shape }) => shapeName(shape));
  const passed = `${cached.length - below.length} of ${cached.length} shapes whose weights fit in cache`;
  const failed = below.length === 0 ? "" : `; below it: ${below.join(", ")}`;
  return `At least ${BAR} × the better peer at ${passed}${failed}.`;
}

/** How many times as fast as the fastest of some peers; `null` without any. */
function ratio(at: Measured, name: string, peers: readonly string[]): Ratio | null {
  const best = peers.map((peer) => timingOf(at, peer)).toSorted((a, b) => a.milliseconds - b.milliseconds).at(0);
  if (best === undefined) return null;
  const mine = timingOf(at, name);
  return { value: best.milliseconds / mine.milliseconds, isQuiet: mine.isQuiet && best.isQuiet };
}

function ratioText(ratio: Ratio | null): string {
  return ratio === null ? "not installed" : mark(ratio.value.toFixed(2), ratio.isQuiet);
}

function mark(text: string, isQuiet: boolean): string {
  return isQuiet ? text : `~${text}`;
}

function timingOf({ timings }: Measured, name: string): Timing {
  const found = timings.get(name);
  if (found === undefined) throw new Error(`${name} was not timed`);
  return found;
}
