import { assertEquals, assertRejects } from "@std/assert";
import { CheckpointError, isLazyTensor, type LazyTensor, openCheckpoint } from "../../src/checkpoint/mod.ts";

const FILE = Deno.readFileSync(new URL("../fixtures/checkpoints/dtypes.pt", import.meta.url));

/** The file with a bit changed somewhere after a name, where the bytes of that entry are. */
function damagedAfter(name: string, distance: number): Uint8Array<ArrayBuffer> {
  const bytes = FILE.slice();
  const at = new TextDecoder("latin1").decode(bytes).indexOf(name);
  bytes[Math.ceil((at + name.length + 4) / 64) * 64 + distance] ^= 1;
  return bytes;
}

/** The file as PyTorch writes it when it is told to write no checksums: all are 0. */
function withoutChecksums(): Uint8Array<ArrayBuffer> {
  const bytes = FILE.slice();
  const text = new TextDecoder("latin1").decode(bytes);
  for (const [magic, field] of [["PK\x07\x08", 4], ["PK\x01\x02", 16]] as const) {
    for (let at = text.indexOf(magic); at >= 0; at = text.indexOf(magic, at + 4)) {
      bytes.fill(0, at + field, at + field + 4);
    }
  }
  return bytes;
}

async function first(file: Uint8Array<ArrayBuffer>, verify: boolean): Promise<LazyTensor> {
  const [value] = (await openCheckpoint(file, { verify })).stateDict().values();
  if (!isLazyTensor(value)) throw new TypeError("the fixture begins with a tensor");
  return value;
}

Deno.test("a pickle that is not what was written is refused, whatever else is asked for", async () => {
  // Within a key, so that the pickle itself would still run.
  const name = new TextDecoder("latin1").decode(FILE).indexOf("float64");
  const changed = FILE.slice();
  changed[name] ^= 1;
  await assertRejects(() => openCheckpoint(changed), CheckpointError, "do not have the CRC-32 of the directory");
});

Deno.test("verify: a storage that is not what was written is refused when it is read, and only then", async () => {
  const changed = damagedAfter("/data/0", 0);
  assertEquals((await (await first(changed, false)).read()).length > 0, true);
  const tensor = await first(changed, true);
  await assertRejects(() => tensor.read(), CheckpointError, "do not have the CRC-32 of the directory");
});

Deno.test("verify: what is whole is read as ever, by many at once", async () => {
  const [plain, tensor] = [await first(FILE, false), await first(FILE, true)];
  const expected = await plain.read();
  const found = await Promise.all([tensor.read(), tensor.read(), tensor.read()]);
  assertEquals(found, [expected, expected, expected]);
});

Deno.test("a file without checksums is read, and cannot be verified", async () => {
  const file = withoutChecksums();
  assertEquals(await (await first(file, false)).read(), await (await first(FILE, false)).read());
  const tensor = await first(file, true);
  await assertRejects(() => tensor.read(), CheckpointError, "the file was written without CRC-32");
});
