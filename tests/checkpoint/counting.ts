/** A folder in memory that counts what is read of its files. */

import type { Folder } from "../../src/bytes/folder.ts";
import { openMemory } from "../../src/bytes/memory.ts";

/** One read. */
export interface Read {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** The files of `folder`, none of them read synchronously. */
export async function countingFolder(folder: URL): Promise<Folder & { readonly reads: Read[] }> {
  return countingFiles(await filesIn(folder));
}

/** The bytes of the files in `folder` by their names. */
export async function filesIn(folder: URL): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(folder)) files.set(name, await Deno.readFile(new URL(name, folder)));
  return files;
}

/** The same over bytes by name. */
export function countingFiles(files: ReadonlyMap<string, Uint8Array>): Folder & { readonly reads: Read[] } {
  const reads: Read[] = [];
  return {
    reads,
    open(name) {
      const bytes = files.get(name);
      if (bytes === undefined) return Promise.reject(new Error(`no "${name}"`));
      const { size, close, read } = openMemory(bytes, name);
      return Promise.resolve({
        size,
        name,
        close,
        read(offset, length) {
          reads.push({ file: name, offset, length });
          return read(offset, length);
        },
      });
    },
  };
}
