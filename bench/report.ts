/**
 * `deno task bench:report [linear|work] [seconds]`: the tables to quote. Every number is a ratio between contestants
 * that took turns in this run, on one thread: nothing depends on how fast the machine is, little on who else uses it.
 *
 * The seconds are what one row may take; 5 by default. A `~` marks a number from too few quiet moments.
 *
 * @module
 */

import { BareCore } from "./core.ts";
import { linearReport } from "./linear_report.ts";
import { Canary } from "./rounds.ts";
import { workReport } from "./work_report.ts";

/** Seconds that one row may take. */
const SECONDS = 5;

if (import.meta.main) {
  const numbers = Deno.args.map(Number).filter((number) => number > 0);
  const core = new BareCore();
  const options = { canary: new Canary(core), seconds: numbers.at(0) ?? SECONDS };
  if (!Deno.args.includes("work")) console.log(`\n${await linearReport(core, options)}`);
  if (!Deno.args.includes("linear")) console.log(`\n${await workReport(options)}`);
}
