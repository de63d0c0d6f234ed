/**
 * The steps of a load, beside a raw read of the same bytes into fresh buffers, or a copy of them in memory.
 *
 * The bytes come from the system's file cache, so that what is timed is the work of the library and not the disk.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { load, loadCheckpoint, type Module, openCheckpoint, planLoad } from "../mod.ts";
import { bytesOf, type CheckpointFile } from "./checkpoint_files.ts";
import type { Contestant } from "./contestant.ts";
import type { Match } from "./match.ts";
import type { Torch } from "./peers/torch.ts";

/** Every step of a load, after checking that the file's values arrive. */
export async function loadMatches(file: CheckpointFile, torch: Torch | null): Promise<readonly Match[]> {
  const { name, path, tensors, size: { layers, features } } = file;
  const model = file.model();
  await loadCheckpoint(model, path);
  check(model, file);
  const read = await load(path);
  const floor = { name: "floor: raw read", isAsync: false, run: () => rawRead(file) };
  const memcpy = { name: "floor: memcpy", isAsync: false, run: () => tensors.map(({ values }) => values.slice()) };
  const peers = torch !== null && path.endsWith(".pt") ? [torch.contestant(`load ${layers} ${features} ${path}`)] : [];
  return [
    { work: `${name}: open`, floor, ours: reading("openCheckpoint", () => open(path)), peers: [] },
    { work: `${name}: open and plan`, floor, ours: reading("planLoad", () => plan(path, model)), peers: [] },
    { work: `${name}: load`, floor, ours: reading("loadCheckpoint", () => loadCheckpoint(model, path)), peers },
    {
      work: `${name}: load from memory`,
      floor: memcpy,
      ours: { name: "loadStateDict", isAsync: false, run: () => model.loadStateDict(read) },
      peers: [],
    },
  ];
}

function reading(name: string, run: Contestant["run"]): Contestant {
  return { name, isAsync: true, isElsewhere: true, run };
}

async function open(path: string): Promise<void> {
  const checkpoint = await openCheckpoint(path);
  await checkpoint.close();
}

async function plan(path: string, model: Module): Promise<void> {
  const checkpoint = await openCheckpoint(path);
  planLoad(model, checkpoint.stateDict());
  await checkpoint.close();
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

function check(model: Module, file: CheckpointFile): void {
  const state = model.stateDict();
  for (const { key, values } of file.tensors) {
    const found = state.get(key)?.bytes();
    const expected = bytesOf(values);
    if (found?.length !== expected.length || !found.every((byte, i) => byte === expected[i])) {
      throw new Error(`"${key}" of ${file.name} was not loaded as it was written`);
    }
  }
}
