/**
 * Contestants for the same work.
 *
 * @module
 */

import type { Contestant } from "./contestant.ts";

/** Who competes. */
export interface Match {
  /** The work. */
  readonly work: string;
  /** What nobody can be faster than, or as good as. */
  readonly floor: Contestant;
  /** Graft. */
  readonly ours: Contestant;
  /** The peers that are installed. */
  readonly peers: readonly Contestant[];
}

/** The sections of `deno task bench`, as they stand before the work. */
export type SectionName = "linear forward" | "loading" | "initialisation" | "small calls" | "start";

/** Registers a match with `Deno.bench`, as a group of a section. */
export function register(section: SectionName, { work, floor, ours, peers }: Match): void {
  const group = `${section}: ${work}`;
  for (const contestant of [floor, ours, ...peers]) {
    const { name, isAsync, run } = contestant;
    const fn = isAsync
      ? async () => {
        await run();
      }
      : () => {
        run();
      };
    Deno.bench({ name, group, baseline: contestant === ours, fn });
  }
}
