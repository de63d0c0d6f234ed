/**
 * The figures of starting, in milliseconds over an empty program, and the size of what is imported.
 *
 * @module
 */

import { rmSync } from "node:fs";
import type { Bar, Figure } from "./figure.ts";
import { packageSize } from "./package_size.ts";
import { progress } from "./progress.ts";
import { timeInTurns } from "./rounds.ts";
import type { SectionOptions } from "./section.ts";
import { startMatches } from "./start_matches.ts";

/** Milliseconds, by the contestant. */
const BARS: Readonly<Record<string, Bar>> = { "first forward": { most: 15 } };

/** Starts every program, and packs the library. */
export async function startFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const folder = Deno.makeTempDirSync({ prefix: "graft-start-" });
  try {
    for (const { work, floor, ours, peers } of await startMatches(folder)) {
      await progress(work);
      const [empty, mine, ...others] = await timeInTurns([floor, ours, ...peers], options);
      const over = ({ milliseconds }: { readonly milliseconds: number }) => milliseconds - empty.milliseconds;
      figures.push({
        what: `${work}: ms over an empty program`,
        value: over(mine),
        isQuiet: mine.isQuiet && empty.isQuiet,
        bar: BARS[ours.name],
        note: [empty, ...others].map((at) =>
          at === empty ? `empty ${empty.milliseconds.toFixed(0)}` : `${at.name} ${over(at).toFixed(0)}`
        ).join(", "),
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const { source, wasm } = await packageSize();
  figures.push({ what: "everything mod.ts pulls in, gz: kB of source", value: source / 1000 });
  figures.push({ what: "everything mod.ts pulls in, gz: kB of wasm", value: wasm / 1000 });
  return figures;
}
