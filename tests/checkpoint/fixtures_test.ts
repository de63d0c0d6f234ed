/** One test per fixture file: what PyTorch saw when it wrote the file is what is read from it. */

import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { openCheckpoint, UnsupportedError } from "../../src/checkpoint/mod.ts";
import { pythonTypeName } from "../../src/python_type.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import type { Inert } from "../../src/state_dict.ts";
import { type Plain, plain } from "./plain.ts";

const FOLDER = new URL("../fixtures/checkpoints/", import.meta.url);

interface Entry {
  readonly name: string;
  readonly type?: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly storage: number;
  readonly requiresGrad: boolean;
  readonly bytes: string;
  readonly unsupported?: true;
}

interface Expected {
  readonly format: string;
  readonly unsupported?: string;
  readonly metadata?: Record<string, string>;
  /** The whole object, where all of it is described. */
  readonly root?: Plain;
  readonly stateDicts: readonly {
    readonly path: readonly (string | number)[];
    readonly metadata: Record<string, Record<string, unknown>> | null;
    readonly entries: readonly Entry[];
  }[];
}

for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (name.endsWith(".json")) continue;
  Deno.test(`openCheckpoint() reads ${name} as PyTorch does`, async () => {
    const expected: Expected = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
    const bytes = await Deno.readFile(new URL(name, FOLDER));
    if (expected.unsupported !== undefined) {
      const error = await assertRejects(() => openCheckpoint(bytes), UnsupportedError);
      assertEquals(error.feature, expected.unsupported);
      return;
    }
    for (const source of [new URL(name, FOLDER), bytes, new Blob([bytes])]) {
      const checkpoint = await openCheckpoint(source);
      await compare(checkpoint, expected);
      await checkpoint.close();
    }
  });
}

async function compare(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>, expected: Expected): Promise<void> {
  assertEquals(checkpoint.format, expected.format);
  assertEquals(checkpoint.stateDictPaths, expected.stateDicts.map(({ path }) => path));
  if (expected.metadata !== undefined) assertEquals(Object.fromEntries(checkpoint.metadata), expected.metadata);
  const storages = new Map<number, string>();
  for (const { path, metadata, entries } of expected.stateDicts) {
    const stateDict = checkpoint.stateDict(path);
    assertEquals([...stateDict.keys()], entries.map((entry) => entry.name));
    const found = stateDict.metadata && Object.fromEntries(
      [...stateDict.metadata].map(([key, facts]) => [key, Object.fromEntries(facts)]),
    );
    assertEquals(found, metadata);
    for (const entry of entries) await compareEntry(stateDict.get(entry.name), entry, storages);
  }
  if (expected.root !== undefined) assertEquals(await plain(checkpoint.root), expected.root);
}

async function compareEntry(value: Inert | undefined, entry: Entry, storages: Map<number, string>): Promise<void> {
  if (entry.type !== undefined) {
    const type = entry.type === "tuple" ? "list" : entry.type === "frozenset" ? "set" : entry.type;
    return assertEquals(pythonTypeName(value ?? null), type);
  }
  assertInstanceOf(value, StoredTensor);
  assertEquals([value.dtype, [...value.shape]], [entry.dtype, [...entry.shape]]);
  if (entry.unsupported) {
    assertThrows(() => value.check(), UnsupportedError);
    await assertRejects(() => value.read(), UnsupportedError);
    return;
  }
  assertEquals([...value.strides], [...entry.strides]);
  assertEquals(value.requiresGrad, entry.requiresGrad);
  const expected = Uint8Array.from(entry.bytes.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  assertEquals(value.byteLength, expected.length);
  assertEquals(await value.read(), expected, entry.name);
  // A target that begins at an odd byte, so that it is not aligned for its elements.
  const around = new Uint8Array(expected.length + 2);
  await value.readInto(around.subarray(1, -1));
  assertEquals(around.slice(1, -1), expected);
  assertEquals([around[0], around.at(-1)], [0, 0]);
  if (value.isSync) assertEquals(value.readSync(), expected);
  assertEquals(storages.get(entry.storage) ?? value.storage.id, value.storage.id);
  storages.set(entry.storage, value.storage.id);
}
