/**
 * The files beside a file: a checkpoint in several files names them, and those names come from a stranger.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";
import { listFolder } from "./file.ts";
import { openSource, type SourceLike, type SourceOptions } from "./open_source.ts";
import type { OpenSource } from "./source.ts";

/** Characters of a name in a folder. File systems stop at 255 per segment. */
const MAX_NAME_LENGTH = 1024;

/** A folder whose files are opened by names that need not be trusted. */
export interface Folder {
  /**
   * Opens the file called `name`, which may be in a folder below.
   *
   * @throws {CheckpointError} The name leads elsewhere, or the file cannot be opened.
   */
  open(name: string): Promise<OpenSource>;
}

/** The folder that a file is in; `null` for bytes, which are in none. Its files are opened with `options`. */
export function folderOf(file: SourceLike, options: SourceOptions = {}): Folder | null {
  const url = urlOf(file);
  if (url !== null) return urlFolder(new URL(".", url), options);
  return typeof file === "string" ? pathFolder(file, "..") : null;
}

/** A path or URL as the folder that it is. */
export function asFolder(folder: string | URL): Folder {
  const url = urlOf(folder);
  return url === null ? pathFolder(String(folder), ".") : urlFolder(withSlash(url));
}

/**
 * The names in a folder, sorted.
 *
 * @throws {CheckpointError} It cannot be listed; `cause` is the reason.
 */
export async function namesIn(folder: string | URL): Promise<readonly string[]> {
  return (await listFolder(urlOf(folder) ?? folder)).sort();
}

/**
 * What is wrong with a name that a checkpoint gives to one of its files; `null` if it leads to a file in the folder or
 * below, on every system. Links in the folder are followed: they belong to whoever made the folder.
 */
export function nameFault(name: string): string | null {
  if (name === "") return "it is empty";
  if (name.length > MAX_NAME_LENGTH) return `it has more than ${MAX_NAME_LENGTH} characters`;
  // deno-lint-ignore no-control-regex -- they are what is refused
  if (/[\x00-\x1f\x7f]/.test(name) || !name.isWellFormed()) return "it has a character that no name has";
  if (name.includes("\\")) return "it has a backslash";
  if (name.includes(":")) return "it has a colon, as a URL or a drive";
  if (name.startsWith("/")) return "it is absolute";
  // Windows drops dots and spaces at the end of a segment.
  if (name.split("/").some((segment) => /^[. ]*$/.test(segment))) return "it leads through another folder";
  return null;
}

function pathFolder(base: string, step: ".." | "."): Folder {
  return {
    async open(name) {
      requireName(name);
      // Only here: a browser has no paths.
      const { join, dirname } = await import("node:path");
      return await openSource(join(step === ".." ? dirname(base) : base, name));
    },
  };
}

function urlFolder(base: URL, options: SourceOptions = {}): Folder {
  return {
    async open(name) {
      requireName(name);
      return await openSource(new URL(name.split("/").map(encodeURIComponent).join("/"), base), options);
    },
  };
}

function requireName(name: string): void {
  const fault = nameFault(name);
  if (fault === null) return;
  throw new CheckpointError(`Cannot open ${JSON.stringify(name)} in a folder: ${fault}`, { format: "file" });
}

function urlOf(source: SourceLike): URL | null {
  if (source instanceof URL) return source;
  return typeof source === "string" && /^(file|https?):/i.test(source) ? new URL(source) : null;
}

function withSlash(url: URL): URL {
  return url.pathname.endsWith("/") ? url : new URL(`${url.pathname}/`, url);
}
