/**
 * Contestants as `Deno.bench` knows them.
 *
 * @module
 */

import type { Contestant } from "./contestant.ts";

/** Registers a contestant in a group. */
export function register(
  { name, isAsync, run }: Contestant,
  { group, baseline }: { readonly group: string; readonly baseline: boolean },
): void {
  const fn = isAsync
    ? async () => {
      await run();
    }
    : () => {
      run();
    };
  Deno.bench({ name, group, baseline, fn });
}
