/**
 * `--state-dict a.b`: which state dict inside a file.
 *
 * @module
 */

import { type Checkpoint, inspectCheckpoint, type StateDictPath } from "../../mod.ts";
import { showBytes, showCount } from "../plan/amount.ts";
import { UsageError } from "./command.ts";
import { quoteForShell } from "./rename_rules.ts";

/** How many state dicts are offered. */
const MOST_OFFERED = 10;

/**
 * The path that was asked for: one of those that were found, or else the text cut at its dots. Without a text it is
 * `undefined`, and the checkpoint knows what to take.
 *
 * @throws {UsageError} Nothing was asked for, and there are several: the message has what is in each.
 */
export async function chosenPath(
  checkpoint: Checkpoint,
  text: string | undefined,
): Promise<StateDictPath | undefined> {
  const { stateDictPaths } = checkpoint;
  if (text === undefined && stateDictPaths.length > 1) throw await severalPaths(checkpoint);
  if (text === undefined) return undefined;
  const found = stateDictPaths.find((path) => path.join(".") === text);
  return found ?? text.split(".").map((step) => /^\d+$/.test(step) ? Number(step) : step);
}

async function severalPaths(checkpoint: Checkpoint): Promise<UsageError> {
  const { stateDictPaths: paths } = checkpoint;
  const flags = paths.slice(0, MOST_OFFERED).map((path) => `--state-dict ${quoteForShell(path.join("."))}`);
  const width = Math.max(...flags.map((flag) => flag.length));
  const lines: string[] = [];
  for (const [i, flag] of flags.entries()) {
    lines.push(`  ${flag.padEnd(width)}  ${await contentAt(checkpoint, paths[i])}`);
  }
  const rest = paths.length > MOST_OFFERED ? [`  … and ${paths.length - MOST_OFFERED} more`] : [];
  return new UsageError(["There are several state dicts in the file; add one of", ...lines, ...rest].join("\n"));
}

/** `2 tensors, 24 bytes, all float32`. */
async function contentAt(checkpoint: Checkpoint, stateDictPath: StateDictPath): Promise<string> {
  try {
    const { tensors, byteLength } = await inspectCheckpoint(checkpoint, { stateDictPath });
    const dtypes = new Set(tensors.map(({ dtype }) => dtype));
    const kinds = dtypes.size === 1 ? [`all ${[...dtypes][0]}`] : [];
    return [showCount(tensors.length, "tensor"), showBytes(byteLength), ...kinds].join(", ");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
