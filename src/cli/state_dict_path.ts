/**
 * `--state-dict a.b`: which state dict inside a file.
 *
 * @module
 */

import type { Checkpoint, StateDictPath } from "../../mod.ts";
import { UsageError } from "./command.ts";
import { quoteForShell } from "./rename_rules.ts";

/** How many state dicts are offered. */
const MOST_OFFERED = 10;

/**
 * The path that was asked for: one of those that were found, or else the text cut at its dots. Without a text it is
 * `undefined`, and the checkpoint knows what to take.
 *
 * @throws {UsageError} Nothing was asked for, and there are several.
 */
export function chosenPath(checkpoint: Checkpoint, text: string | undefined): StateDictPath | undefined {
  const { stateDictPaths } = checkpoint;
  if (text === undefined && stateDictPaths.length > 1) throw severalPaths(stateDictPaths);
  if (text === undefined) return undefined;
  const found = stateDictPaths.find((path) => path.join(".") === text);
  return found ?? text.split(".").map((step) => /^\d+$/.test(step) ? Number(step) : step);
}

function severalPaths(paths: readonly StateDictPath[]): UsageError {
  const flags = paths.slice(0, MOST_OFFERED).map((path) => `  --state-dict ${quoteForShell(path.join("."))}`);
  const rest = paths.length > MOST_OFFERED ? [`  … and ${paths.length - MOST_OFFERED} more`] : [];
  return new UsageError(["There are several state dicts in the file; add one of", ...flags, ...rest].join("\n"));
}
