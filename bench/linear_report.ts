/**
 * The table of the README: linear layers as a part of what the machine can do, and against the peers.
 *
 * @module
 */

import { type BareCore, PEAK_OPERATIONS } from "./core.ts";
import { KERNEL, linearContestants, linearPeers, OURS, OURS_COPIED } from "./linear_contestants.ts";
import { LINEAR_SHAPES, linearProblem, type LinearShape, operations, shapeName } from "./linear_problem.ts";
import { productsReport } from "./linear_products.ts";
import { onnxruntime } from "./peers/onnxruntime.ts";
import type { LinearPeer } from "./peers/peer.ts";
import { timeInTurns, type Timing, type TurnOptions } from "./rounds.ts";
import { figure, table } from "./table.ts";

/** How much faster than the better peer we mean to be wherever the weights fit in cache. */
const BAR = 1.4;

/** Turns of one sample of the peak: about a millisecond on a current core. */
const PEAK_TURNS = 500_000;

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

/** Times every shape and gives the table, with how many shapes are above the bar. */
export async function linearReport(core: BareCore, options: TurnOptions): Promise<string> {
  const peers = await linearPeers();
  const measured: Measured[] = [];
  for (const shape of LINEAR_SHAPES) {
    const peak = { name: PEAK, isAsync: false, run: () => core.peak(PEAK_TURNS) };
    const contestants = await linearContestants(linearProblem(shape), { core, peers });
    const timings = await timeInTurns([peak, ...contestants], options);
    measured.push({ shape, timings: new Map(timings.map((timing) => [timing.name, timing])) });
  }
  return [text(measured, peers), "", await productsReport(core, { ...options, peers })].join("\n");
}

function text(measured: readonly Measured[], peers: readonly LinearPeer[]): string {
  const names = peers.map(({ name }) => name);
  // What limits the peak is one core's clock, so that the run's best is the machine's.
  const peak = PEAK_TURNS * PEAK_OPERATIONS / Math.min(...measured.map((at) => timingOf(at, PEAK).milliseconds));
  const rows = measured.map((at) => {
    const percent = (name: string) => {
      const { milliseconds, isQuiet } = timingOf(at, name);
      return figure(100 * operations(at.shape) / milliseconds / peak, isQuiet);
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
  return [
    "x·Wᵀ + b, in % of the madd peak; then how many times as fast as the peers\n",
    table(headings, rows),
    ...(peers.length > 0 ? ["", verdict(measured, names)] : []),
  ].join("\n");
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
  return ratio === null ? "not installed" : figure(ratio.value, ratio.isQuiet);
}

function timingOf({ timings }: Measured, name: string): Timing {
  const found = timings.get(name);
  if (found === undefined) throw new Error(`${name} was not timed`);
  return found;
}
