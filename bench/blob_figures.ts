/**
 * The figures of loading a checkpoint that is a `Blob`, as a page has it of a file that a person chose or of a download.
 *
 * The floor is `arrayBuffer()`, the one way to all of its bytes: they are somewhere else, in a browser in another process.
 *
 * @module
 */

import { encodeSafetensors, Linear, loadCheckpoint, manualSeed, Sequential } from "../mod.ts";
import type { Figure } from "./figure.ts";
import { progress } from "./progress.ts";
import { timeInTurns } from "./rounds.ts";
import { type SectionOptions, speedup } from "./section.ts";

/** Six layers of 2048 by 2048: 101 MB. */
const [LAYERS, FEATURES] = [6, 2048] as const;

/** Milliseconds in which Chromium moves a new Blob of this size to disk; meanwhile, reads of it may fail. */
const SETTLE = 3000;

/** Times the load of a .safetensors and a read of its bytes. */
export async function blobFigures(options: SectionOptions): Promise<readonly Figure[]> {
  await progress("load from a Blob");
  manualSeed(0);
  const written = newModel();
  const blob = await new Response(encodeSafetensors(written.stateDict())).blob();
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  const model = newModel();
  await loadCheckpoint(model, blob);
  const loaded = model.stateDict();
  for (const [key, tensor] of written.stateDict()) {
    if (loaded.get(key)?.equal(tensor) !== true) throw new Error(`"${key}" was not loaded as it was written`);
  }
  const contestants = [
    { name: "raw read", isAsync: true, isElsewhere: true, run: () => blob.arrayBuffer() },
    { name: "loadCheckpoint", isAsync: true, isElsewhere: true, run: () => loadCheckpoint(model, blob) },
  ];
  const [read, load] = await timeInTurns(contestants, options);
  const what = `.safetensors of ${Math.round(blob.size / 1e6)} MB in a Blob`;
  const { value, isQuiet } = speedup(load, read);
  const times = [read, load].map(({ name, milliseconds }) => `${name} ${milliseconds.toFixed(0)} ms`);
  return [{
    what: `${what}: loadCheckpoint, % of the speed of arrayBuffer()`,
    value: value === null ? null : 100 * value,
    isQuiet,
    note: times.join(", "),
  }];
}

function newModel(): Sequential {
  return new Sequential(...Array.from({ length: LAYERS }, () => new Linear(FEATURES, FEATURES)));
}
