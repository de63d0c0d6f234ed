/**
 * The figures of small calls: their times, and whether memory stays flat in a million of them.
 *
 * @module
 */

import { callTimes } from "./call_times.ts";
import type { Figure } from "./figure.ts";
import { runScript } from "./process.ts";
import { progress } from "./progress.ts";
import type { SectionOptions } from "./section.ts";

/** Times the calls, and watches memory. */
export async function callFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const times = await callTimes(options);
  await progress("a million forward passes");
  const { wasm, process } = JSON.parse(await runScript("million_forwards.ts", ["--json"]));
  return [
    ...times,
    { what: "a million forward passes: growth of wasm memory, MB", value: wasm, bar: { most: 0 } },
    { what: "a million forward passes: growth of the process, MB", value: process, bar: { most: 8 } },
  ];
}
