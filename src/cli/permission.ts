/**
 * What to add to the command line of `deno run` when a permission is missing.
 *
 * @module
 */

import { quoteForShell } from "./rename_rules.ts";

/** How Deno says what it wants, also inside the message of a failed import. */
const WANTED = /Requires (?<kind>read|write|net|env|sys|run|ffi|import|all) access to "(?<what>[^"]+)"/;

/** Errors that are causes of errors: more than any chain has. */
const DEEPEST = 10;

/** The files that a command needs, as they were named. */
export interface Needed {
  /** Those to read. */
  readonly read: readonly string[];
  /** Those to write. */
  readonly write: readonly string[];
}

/** A permission that is missing. */
export interface MissingPermission {
  /** Its kind. */
  readonly kind: string;
  /** The path or host. */
  readonly what: string;
}

/** What is missing, if that is why `error` was thrown. */
export function missingPermission(error: unknown): MissingPermission | null {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < DEEPEST; depth++) {
    const found = WANTED.exec(at.message)?.groups;
    if (found !== undefined) return { kind: found.kind, what: found.what };
    at = at.cause;
  }
  return null;
}

/** The flags that give everything the command is known to need and does not have; at least what is missing. */
export function lackingFlags({ kind, what }: MissingPermission, needed: Needed): string {
  const lacking = (["read", "write"] as const).filter((name) =>
    needed[name].some((path) => Deno.permissions.querySync({ name, path }).state !== "granted")
  );
  // What is not among the files of the command is an import of the model, and that may have more.
  if (lacking.length === 0 && kind === "read") return "-R: the model's own imports are read too";
  if (lacking.length === 0) return allowFlag(kind, [what]);
  return lacking.map((name) => allowFlag(name, needed[name])).join(" ");
}

/** `--allow-read=model.pt,model.ts`. */
function allowFlag(kind: string, paths: readonly string[]): string {
  // A comma in a path is doubled.
  return quoteForShell(`--allow-${kind}=${paths.map((path) => path.replaceAll(",", ",,")).join(",")}`);
}
