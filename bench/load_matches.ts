/**
 * The steps of a load, beside a raw read of the same bytes into memory that is there already, or a copy of them.
 *
 * The bytes come from the system's file cache, so that what is timed is the work of the library and not the disk.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { load, loadCheckpoint, type Module, openCheckpoint, planLoad } from "../mod.ts";
import type { CheckpointFile } from "./checkpoint_files.ts";
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
  // The floors write where they wrote before, as a load into a model does: fresh pages would cost more than the bytes.
  const values = Array.from(tensors.values(), (tensor) => tensor.bytes());
  const targets = values.map(({ length }) => new Uint8Array(length));
  const floor = { name: "floor: raw read", isAsync: false, run: () => rawRead(path, targets) };
  const memcpy = {
    name: "floor: memcpy",
    isAsync: false,
    run: () => values.forEach((bytes, i) => targets[i].set(bytes)),
  };
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

function rawRead(path: string, targets: readonly Uint8Array<ArrayBuffer>[]): void {
  const handle = openSync(path, "r");
  try {
    for (const target of targets) {
      for (let at = 0; at < target.length;) {
        const got = readSync(handle, target, at, target.length - at, null);
        if (got === 0) throw new Error(`"${path}" ended too early`);
        at += got;
      }
    }
  } finally {
    closeSync(handle);
  }
}

function check(model: Module, { name, tensors }: CheckpointFile): void {
  const state = model.stateDict();
  for (const [key, tensor] of tensors) {
    if (state.get(key)?.equal(tensor) !== true) throw new Error(`"${key}" of ${name} was not loaded as it was written`);
  }
}
