/**
 * What went wrong, in one message and without a stack, and the exit code that it has.
 *
 * @module
 */

import { CheckpointError, LimitError, TruncatedError, UnsupportedError } from "../../mod.ts";
import { REFUSED, UsageError, WRONG_USAGE } from "./command.ts";
import { ModelFileError } from "./model_file.ts";
import { lackingFlags, missingPermission, type Needed } from "./permission.ts";
import { OutputError } from "./terminal.ts";

/** A failure as the command line tells it. */
export interface Failure {
  /** What to print. */
  readonly message: string;
  /** The exit code. */
  readonly code: number;
}

/** What the library throws about files. */
const ABOUT_FILES = [CheckpointError, LimitError, TruncatedError, UnsupportedError];

/** How the library's errors about an argument begin; the engine's own ("x is not a function") are bugs. */
const ABOUT_ARGUMENTS = /^(Bad (pattern|dtype|metadata|shard size)|Options? )/;
const ABOUT_VALUES = /^Cannot (convert|compare|write|plan|load|use)\b/;

/** The ends of the system's messages about paths, in words. */
const SYSTEM_WORDS: readonly (readonly [RegExp, string])[] = [
  [/ENOENT: [^']*'[^']*'( -> '[^']*')?|No such file or directory.*$/s, "there is no such file or folder"],
  [/EACCES: [^']*'[^']*'|EPERM: [^']*'[^']*'|Permission denied.*$/s, "the system does not permit it"],
  [/ENOSPC: .*$|No space left on device.*$/s, "the disk is full"],
  [/EISDIR: .*$/s, "it is a folder"],
  [/ENOTDIR: .*$/s, "a part of the path is no folder"],
];

/** The failure behind an error; `null` where it is a bug, whose stack is wanted. */
export function explain(error: unknown, needed: Needed): Failure | null {
  const missing = missingPermission(error);
  if (missing !== null) {
    const flags = lackingFlags(missing, needed);
    return { message: `Not permitted to ${missing.kind} "${missing.what}"\nAdd ${flags}`, code: REFUSED };
  }
  if (error instanceof UsageError) return { message: error.message, code: WRONG_USAGE };
  if (error instanceof ModelFileError) return { message: error.message, code: error.code };
  if (error instanceof OutputError) return { message: error.message, code: REFUSED };
  if (!(error instanceof Error)) return null;
  if (error.message.endsWith("it is there already")) {
    return { message: `${error.message}\nAdd --force to replace it`, code: REFUSED };
  }
  if (ABOUT_FILES.some((kind) => error instanceof kind)) return { message: plain(error.message), code: REFUSED };
  if (!(error instanceof TypeError)) return null;
  if (ABOUT_ARGUMENTS.test(error.message)) return { message: error.message, code: WRONG_USAGE };
  return ABOUT_VALUES.test(error.message) ? { message: error.message, code: REFUSED } : null;
}

function plain(message: string): string {
  return SYSTEM_WORDS.reduce((text, [pattern, words]) => text.replace(pattern, words), message);
}
