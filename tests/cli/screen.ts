/**
 * A terminal that keeps what is printed to it.
 *
 * @module
 */

import { main } from "../../src/cli.ts";
import type { Terminal } from "../../src/cli.ts";

/** What a run printed, and how it ended. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly progress: readonly string[];
}

/** Runs the command line in this process. */
export async function run(args: readonly string[], terminal: Partial<Terminal> = {}): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const progress: string[] = [];
  const code = await main(args, {
    width: undefined,
    color: false,
    isWatched: false,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
    progress: (line) => progress.push(line),
    interruption: () => new AbortController().signal,
    ...terminal,
  });
  return { code, out: out.join("\n"), err: err.join("\n"), progress };
}

/** A checkpoint that PyTorch wrote. */
export function checkpoint(name: string): string {
  return pathOf(`../fixtures/checkpoints/${name}`);
}

/** The checkpoint of the examples: `linear1` and `linear2`. */
export const PRETRAINED = pathOf("../../examples/data/pretrained.pt");

/** A model file of these tests. */
export function model(name: string): string {
  return pathOf(`models/${name}.ts`);
}

/** Calls `use` with an empty folder, and takes it away again. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function pathOf(relative: string): string {
  return decodeURIComponent(new URL(relative, import.meta.url).pathname);
}
