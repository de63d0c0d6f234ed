import { assertEquals, assertRejects } from "@std/assert";
import { CheckpointError, isLazyTensor, LimitError, openCheckpoint, TruncatedError } from "../../src/checkpoint/mod.ts";

const FILE = Deno.readFileSync(new URL("../fixtures/checkpoints/legacy.pt", import.meta.url));

Deno.test("a legacy stream that ends in its storages is an error when it is opened", async () => {
  for (const missing of [1, 8, 40]) {
    await assertRejects(() => openCheckpoint(FILE.slice(0, -missing)), TruncatedError, "ends before");
  }
});

Deno.test("a legacy stream that ends in its pickles is an error that names the pickle", async () => {
  await assertRejects(() => openCheckpoint(FILE.slice(0, 200)), TruncatedError, "the object");
});

Deno.test("a legacy stream whose storage has another length than the pickle says is refused", async () => {
  const changed = FILE.slice();
  const last = FILE.length - 2 * 4 - 8; // the two ones of the last storage, and their count before them
  const view = new DataView(changed.buffer);
  const counts = Array.from({ length: FILE.length - 7 }, (_, i) => i).filter((i) => view.getBigInt64(i, true) === 12n);
  view.setBigInt64(counts.at(-1) ?? last, 13n, true);
  await assertRejects(() => openCheckpoint(changed), CheckpointError, "has 13 elements, the pickle says 12");
});

Deno.test("bytes behind the last storage of a legacy stream are nobody's", async () => {
  const longer = new Uint8Array([...FILE, 1, 2, 3]);
  assertEquals((await openCheckpoint(longer)).stateDict().size, (await openCheckpoint(FILE)).stateDict().size);
});

Deno.test("a legacy stream reads its pickles first, in windows that double, and a tensor's bytes when asked", async () => {
  const reads: [number, number][] = [];
  const checkpoint = await openCheckpoint({
    size: FILE.length,
    read(offset, length) {
      reads.push([offset, length]);
      return Promise.resolve(FILE.subarray(offset, offset + length));
    },
  });
  const opened = reads.length;
  const value = checkpoint.stateDict().get("row");
  assertEquals(isLazyTensor(value) && (await value.read()).length, 16);
  assertEquals(reads.length, opened + 1);
  assertEquals(reads[opened][1], 16);
});

Deno.test("a legacy stream keeps to the limits", async () => {
  await assertRejects(() => openCheckpoint(FILE, { limits: { metadataBytes: 100 } }), LimitError, "metadataBytes");
  await assertRejects(() => openCheckpoint(FILE, { limits: { entries: 2 } }), LimitError, "entries");
});

Deno.test("a legacy stream of another protocol is refused by name", async () => {
  const changed = FILE.slice();
  changed[18] = 0xea; // 1002
  await assertRejects(() => openCheckpoint(changed), Error, "its protocol version is 1002");
});
