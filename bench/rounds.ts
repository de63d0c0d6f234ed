/**
 * Timing on a machine that others use too: everyone takes turns, and a sample counts only if the machine was quiet.
 *
 * Whether it was is told by two canaries, timed just before and just after. One is a small product: a kernel that fills
 * the core's instruction slots falls to half when a neighbour runs on the other half of the core, while a chain of
 * multiply-adds hardly slows down. The other reads weights from the last-level cache, which all cores share. Whether the
 * process was interrupted in between is told by the time it had on a core, where the host tells that.
 *
 * @module
 */

import { type Contestant, time, warmUp } from "./contestant.ts";
import type { BareCore, LinearSize } from "./core.ts";

/** The product of the first canary: 24 kB and 96 kB of operands, in the second-level cache. */
const SMALL: LinearSize = { m: 24, k: 256, n: 96 };

/** Its runs in one sample: together about a fifth of a millisecond, as the clock of a page has steps of 5 µs. */
const SMALL_RUNS = 8;

/** The product of the second: one row by 4 MB of weights, larger than a second-level cache. */
const STREAM: LinearSize = { m: 1, k: 1024, n: 1024 };

/** A sample counts if the first canary ran at this part of its best speed before and after. */
const SMALL_QUIET = 0.92;

/** The same for the second, which varies more by itself. */
const STREAM_QUIET = 0.85;

/** A sample counts if the process was on a core for this part of it. */
const OWN_TIME = 0.97;

/** Samples that make a median. */
const ENOUGH = 9;

/** With fewer quiet ones than this, the speed that one of ten samples reached stands for the median. */
const TOO_FEW = 3;

/** Rounds that everyone gets, however long they take. */
const LEAST_ROUNDS = 3;

/** Milliseconds of one sample, unless one run takes longer. */
const SAMPLE = 3;

/** From so many milliseconds on, one run does not get faster by another before it. */
const LONG = 100;

/** Milliseconds each contestant runs first, so that V8 has compiled it for speed. */
const WARM_UP = 300;

/** What a run of turns needs. */
export interface TurnOptions {
  /** Tells which samples count. */
  readonly canary: Canary;
  /** How long to try; {@linkcode LEAST_ROUNDS} rounds are made in any case. */
  readonly seconds: number;
  /** Milliseconds that this process was on a core so far. A page cannot know: without it the canaries alone tell. */
  readonly ownTime?: () => number;
}

/** How long one contestant takes. */
export interface Timing {
  readonly name: string;
  /** Milliseconds of one run: the median of the samples that count. */
  readonly milliseconds: number;
  /** Whether enough samples count; otherwise it is the best tenth of all. */
  readonly isQuiet: boolean;
}

/** Milliseconds of both canaries. */
interface Quietness {
  readonly small: number;
  readonly stream: number;
}

interface Sample {
  /** Of one run. */
  readonly milliseconds: number;
  /** Time on a core over time. */
  readonly own: number;
  readonly before: Quietness;
  readonly after: Quietness;
}

interface Entry {
  readonly contestant: Contestant;
  /** Milliseconds of one run, about. */
  readonly one: number;
  /** Runs in one sample. */
  readonly repeats: number;
  readonly samples: Sample[];
}

/** Tells whether the machine is quiet. */
export class Canary {
  /** The best so far. */
  #best: Quietness = { small: Infinity, stream: Infinity };
  readonly #small: () => void;
  readonly #stream: () => void;

  /** The canaries on an instance of the core. */
  constructor(core: BareCore) {
    const product = (size: LinearSize) => {
      const { m, k, n } = size;
      // Written, or all of it would be the one page of zeros that the system shows where nobody wrote, in every cache.
      const place = (count: number) => core.place(new Float32Array(count).fill(0.5));
      const addresses = [place(m * k), place(n * k), place(n), place(m * n)] as const;
      return () => core.linear(size, addresses);
    };
    this.#small = product(SMALL);
    this.#stream = product(STREAM);
  }

  /** Times them now. */
  time(): Quietness {
    // Each runs once before it is timed: its operands are where the contestant left room for them.
    this.#stream();
    const started = performance.now();
    this.#stream();
    const ended = performance.now();
    this.#small();
    const between = performance.now();
    for (let i = 0; i < SMALL_RUNS; i++) this.#small();
    const taken = { small: performance.now() - between, stream: ended - started };
    const { small, stream } = this.#best;
    this.#best = { small: Math.min(small, taken.small), stream: Math.min(stream, taken.stream) };
    return taken;
  }

  /** Whether the machine was quiet then. */
  isQuiet({ small, stream }: Quietness): boolean {
    return small * SMALL_QUIET <= this.#best.small && stream * STREAM_QUIET <= this.#best.stream;
  }
}

/** Times contestants in turns until each has enough samples that count, or the time is over. */
export async function timeInTurns(
  contestants: readonly Contestant[],
  { canary, seconds, ownTime }: TurnOptions,
): Promise<readonly Timing[]> {
  const entries: Entry[] = [];
  for (const contestant of contestants) {
    const one = await warmUp(contestant, WARM_UP);
    entries.push({ contestant, one, repeats: Math.max(1, Math.round(SAMPLE / one)), samples: [] });
  }
  const counted = ({ contestant: { isElsewhere = false }, samples }: Entry) =>
    samples.filter(({ own, before, after }) =>
      (isElsewhere || own >= OWN_TIME) && canary.isQuiet(before) && canary.isQuiet(after)
    );
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < end; round++) {
    // Everyone is first in turn, so that nobody always runs after the same neighbour.
    const from = round % entries.length;
    for (const { contestant, one, repeats, samples } of [...entries.slice(from), ...entries.slice(0, from)]) {
      const before = canary.time();
      // Fetches its own operands into the caches again, and lets large results of the one before go, which are kept for a
      // request; that is nothing beside what takes long.
      if (one < LONG) await time(contestant, 2);
      const started = ownTime?.() ?? 0;
      const total = await time(contestant, repeats);
      const own = ownTime === undefined ? 1 : (ownTime() - started) / total;
      samples.push({ milliseconds: total / repeats, own, before, after: canary.time() });
    }
    if (entries.every((entry) => counted(entry).length >= ENOUGH)) break;
  }
  return entries.map((entry) => {
    const quiet = counted(entry);
    const isQuiet = quiet.length >= TOO_FEW;
    const times = (isQuiet ? quiet : entry.samples).map((sample) => sample.milliseconds);
    return { name: entry.contestant.name, milliseconds: quantile(times, isQuiet ? 0.5 : 0.1), isQuiet };
  });
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a fraction of the others lies. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = fraction * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}
