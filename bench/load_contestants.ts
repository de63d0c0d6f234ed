/**
 * The ways to bring a checkpoint's bytes into memory, from a bare read to a whole load.
 *
 * The bytes come from the system's file cache, so that what is timed is the work of the library and not the disk.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { load, loadCheckpoint, openCheckpoint, planLoad } from "../mod.ts";
import { bytesOf, type CheckpointFile } from "./checkpoint_files.ts";
import type { Contestant } from "./contestant.ts";
import type { Torch } from "./peers/torch.ts";

/** The floor: the same bytes into fresh buffers, one for each tensor. */
export const RAW_READ = "floor: raw read";

/** The floor of what is in memory already. */
export const MEMCPY = "floor: memcpy";

/** The whole load. */
export const LOAD_CHECKPOINT = "loadCheckpoint";

/** The load of what was read before. */
export const LOAD_STATE_DICT = "loadStateDict";

/** Everyone, after checking that the file's values arrive. */
export async function loadContestants(file: CheckpointFile): Promise<readonly Contestant[]> {
  const { path, tensors } = file;
  const model = file.model();
  await loadCheckpoint(model, path);
  check(model.stateDict(), file);
  const read = await load(path);
  const peers = torch !== null && path.endsWith(".pt") ? [torch.contestant(`load ${layers} ${features} ${path}`)] : [];
  return [
    { name: RAW_READ, isAsync: false, run: () => rawRead(file) },
    { name: MEMCPY, isAsync: false, run: () => tensors.map(({ values }) => values.slice()) },
    { name: LOAD_CHECKPOINT, isAsync: true, run: () => loadCheckpoint(model, path) },
    { name: LOAD_STATE_DICT, isAsync: false, run: () => model.loadStateDict(read) },
    {
      name: "openCheckpoint",
      isAsync: true,
      run: async () => {
        const checkpoint = await openCheckpoint(path);
        await checkpoint.close();
      },
    },
    {
      name: "openCheckpoint, planLoad",
      isAsync: true,
      run: async () => {
        const checkpoint = await openCheckpoint(path);
        planLoad(model, checkpoint.stateDict());
        await checkpoint.close();
      },
    },
    ...peers,
  ];
}

function rawRead({ path, tensors }: CheckpointFile): readonly Uint8Array[] {
  const handle = openSync(path, "r");
  try {
    return tensors.map(({ values }) => {
      const buffer = new Uint8Array(values.byteLength);
      for (let at = 0; at < buffer.length;) {
        const got = readSync(handle, buffer, at, buffer.length - at, null);
        if (got === 0) throw new Error(`"${path}" ended too early`);
        at += got;
      }
      return buffer;
    });
  } finally {
    closeSync(handle);
  }
}

function check(state: ReturnType<ReturnType<CheckpointFile["model"]>["stateDict"]>, file: CheckpointFile): void {
  for (const { key, values } of file.tensors) {
    const found = state.get(key)?.bytes();
    const expected = bytesOf(values);
    if (found?.length !== expected.length || !found.every((byte, i) => byte === expected[i])) {
      throw new Error(`"${key}" of ${file.name} was not loaded as it was written`);
    }
  }
}
