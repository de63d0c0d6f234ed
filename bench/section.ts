/**
 * A part of the report: the figures of one section of the list.
 *
 * @module
 */

import { BareCore } from "./core.ts";
import type { Figure } from "./figure.ts";
import { progress } from "./progress.ts";
import { Canary, type Timing, type TurnOptions } from "./rounds.ts";

/** What a section is given. */
export interface SectionOptions extends TurnOptions {
  /** An instance of the core to time kernels on. */
  readonly core: BareCore;
}

/** Measures everything once. */
export type Measure = (options: SectionOptions) => Promise<readonly Figure[]>;

/** Measures a section in this program, on an instance of the core of its own. */
export async function measureHere(
  measure: Measure,
  options: Omit<TurnOptions, "canary">,
): Promise<readonly Figure[]> {
  const core = new BareCore();
  const figures = await measure({ ...options, core, canary: new Canary(core) });
  await progress();
  return figures;
}

/** The fastest of some timings; none where no peer is installed. */
export function fastest(timings: readonly Timing[]): Timing | undefined {
  return timings.toSorted((a, b) => a.milliseconds - b.milliseconds).at(0);
}

/** How many times as fast the first is; `null` where there is no second. */
export function speedup(ours: Timing, theirs: Timing | undefined): Pick<Figure, "value" | "isQuiet"> {
  if (theirs === undefined) return { value: null };
  return { value: theirs.milliseconds / ours.milliseconds, isQuiet: ours.isQuiet && theirs.isQuiet };
}
