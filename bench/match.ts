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

/** Registers a match with `Deno.bench`, as a group. */
export function register({ work: group, floor, ours, peers }: Match): void {
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
