/**
 * A part of the report: the figures of one section of the list.
 *
 * @module
 */

import type { BareCore } from "./core.ts";
import type { Figure } from "./figure.ts";
import type { Timing, TurnOptions } from "./rounds.ts";

/** What a section is given. */
export interface SectionOptions extends TurnOptions {
  /** An instance of the core to time kernels on. */
  readonly core: BareCore;
}

/** Measures everything once. */
export type Measure = (options: SectionOptions) => Promise<readonly Figure[]>;

/** The fastest of some timings; none where no peer is installed. */
export function fastest(timings: readonly Timing[]): Timing | undefined {
  return timings.toSorted((a, b) => a.milliseconds - b.milliseconds).at(0);
}

/** How many times as fast the first is; `null` where there is no second. */
export function speedup(ours: Timing, theirs: Timing | undefined): Pick<Figure, "value" | "isQuiet"> {
  if (theirs === undefined) return { value: null };
  return { value: theirs.milliseconds / ours.milliseconds, isQuiet: ours.isQuiet && theirs.isQuiet };
}
