/**
 * One of several ways to do the same work, which a benchmark times beside the others.
 *
 * @module
 */

/** Something to time. */
export interface Contestant {
  /** As it stands in the table. */
  readonly name: string;
  /** Whether `run` gives a promise that must be awaited. */
  readonly isAsync: boolean;
  /** Whether other threads or processes do a part, so that time off the core is work as well. */
  readonly isElsewhere?: boolean;
  /** Does the work once. */
  run(): unknown;
}

/** Runs it for this many milliseconds, so that V8 has compiled it for speed; returns how long one run takes then. */
export async function warmUp(contestant: Contestant, milliseconds: number): Promise<number> {
  const started = performance.now();
  let repeats = 1;
  for (;;) {
    const taken = await time(contestant, repeats);
    if (performance.now() - started > milliseconds) return taken / repeats;
    // Calls are counted in doublings, or the clock would be read more often than the contestant is run.
    if (taken < milliseconds / 8) repeats *= 2;
  }
}

/** Milliseconds that `repeats` runs take. */
export async function time(contestant: Contestant, repeats: number): Promise<number> {
  const started = performance.now();
  if (contestant.isAsync) {
    for (let i = 0; i < repeats; i++) await contestant.run();
  } else {
    for (let i = 0; i < repeats; i++) contestant.run();
  }
  return performance.now() - started;
}
