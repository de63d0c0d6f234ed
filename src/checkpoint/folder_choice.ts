/**
 * The one checkpoint of a folder, where its name was given instead of a file's. Where there are several the folder is
 * not guessed about.
 *
 * @module
 */

import { asFolder, type Folder, namesIn } from "../bytes/folder.ts";
import type { OpenSource } from "../bytes/source.ts";
import { UnsupportedError } from "../errors.ts";
import { INDEX_NAME } from "./detect.ts";

/** The file of a distributed checkpoint that names the others. */
const DCP_METADATA = ".metadata";

/** What checkpoints are called that are one file. */
const CHECKPOINT_NAME = /\.(safetensors|pt|pth|bin|ckpt|tar|th)$/i;

/** How many names an error lists. */
const SHOWN_NAMES = 5;

/**
 * Opens the file of `folder` that names the others of a checkpoint, if there is exactly one; else its one checkpoint.
 *
 * @throws {UnsupportedError} There is none, or there are several; `cause` is why the folder was not opened itself.
 */
export async function openInFolder(
  folder: string | URL,
  cause: UnsupportedError,
): Promise<{ readonly opened: OpenSource; readonly folder: Folder }> {
  const names = await namesIn(folder);
  const naming = names.filter((name) => name === DCP_METADATA || INDEX_NAME.test(name));
  const found = naming.length > 0 ? naming : names.filter((name) => CHECKPOINT_NAME.test(name));
  if (found.length !== 1) throw undecided(found, cause);
  const opened = asFolder(folder);
  return { opened: await opened.open(found[0]), folder: opened };
}

function undecided(found: readonly string[], cause: UnsupportedError): UnsupportedError {
  const shown = found.slice(0, SHOWN_NAMES).join(", ") + (found.length > SHOWN_NAMES ? ", …" : "");
  const problem = found.length === 0
    ? "without a checkpoint that has a usual name"
    : `with ${found.length} checkpoints (${shown})`;
  return new UnsupportedError(`${cause.message} ${problem}; name one file in it`, "folder", { cause });
}
