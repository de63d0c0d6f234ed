import { assert, assertEquals, assertThrows } from "@std/assert";
import { adoptBytes, Memory, memory, readBytes, Storage } from "../../src/core/memory.ts";
import { instantiate } from "../../src/core/wasm.ts";
import { Linear, Module, randn, relu, type Tensor } from "../../mod.ts";

/** Chunks that small storages share. */
const SMALL_CHUNK = 4096;
/** A storage that has a chunk of its own. */
const LARGE = 64 * 1024;

function smallMemory(budgets: { ring?: number; window?: number } = {}): Memory {
  return new Memory(instantiate("simd"), budgets);
}

/** Bytes that tell a storage from the others. */
function pattern(seed: number, byteLength: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: byteLength }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);
}

function write(memory: Memory, storage: Storage, bytes: Uint8Array): void {
  memory.begin();
  const address = memory.target(storage);
  memory.view.set(bytes, address);
}

function read(memory: Memory, storage: Storage): Uint8Array {
  memory.begin();
  const address = memory.place(storage);
  return memory.view.slice(address, address + storage.byteLength);
}

Deno.test("Memory.place() gives 16-byte aligned addresses of every size", () => {
  const memory = smallMemory();
  memory.begin();
  for (const byteLength of [1, 4, 15, 16, 17, 2047, 2048, 2049, 4096, 100_000]) {
    assertEquals(memory.place(new Storage(byteLength)) % 16, 0, `${byteLength} bytes`);
  }
});

Deno.test("Memory keeps values through many turns of the ring, small and large together", () => {
  const memory = smallMemory({ ring: 16 * SMALL_CHUNK });
  const sizes = [4, 40, 333, 2048, 2049, 5000, LARGE / 4];
  const kept: { storage: Storage; bytes: Uint8Array }[] = [];
  for (let i = 0; i < 400; i++) {
    const bytes = pattern(i, sizes[i % sizes.length]);
    const storage = new Storage(bytes.byteLength);
    write(memory, storage, bytes);
    kept.push({ storage, bytes });
    assert(memory.residentBytes <= 16 * SMALL_CHUNK + LARGE, `${memory.residentBytes} bytes are resident`);
    const again = kept[(i * 7919) % kept.length];
    assertEquals(read(memory, again.storage), again.bytes);
  }
  for (const { storage, bytes } of kept) assertEquals(read(memory, storage), bytes);
});

Deno.test("Memory keeps the ring in a core's cache where nothing comes back, and lets it grow with what does", () => {
  const memory = smallMemory();
  const storages = Array.from({ length: 64 }, (_, i) => {
    const storage = new Storage(LARGE);
    write(memory, storage, pattern(i, LARGE));
    return storage;
  });
  const atFirst = memory.residentBytes;
  assert(atFirst <= 1024 * 1024, `${atFirst} bytes are resident`);
  for (let turn = 0; turn < 3; turn++) {
    storages.forEach((storage, i) => assertEquals(read(memory, storage), pattern(i, LARGE)));
  }
  assertEquals([memory.residentBytes, storages.every((storage) => storage.isResident)], [64 * LARGE, true]);
});

Deno.test("Memory moves nothing that the running request uses, even over its budget", () => {
  const memory = smallMemory({ ring: 4 * SMALL_CHUNK });
  const storages = Array.from({ length: 40 }, (_, i) => {
    const storage = new Storage(3000);
    write(memory, storage, pattern(i, 3000));
    return storage;
  });
  memory.begin();
  const addresses = storages.map((storage) => memory.place(storage));
  for (const [i, address] of addresses.entries()) {
    assertEquals(memory.view.slice(address, address + 3000), pattern(i, 3000));
    assertEquals(memory.place(storages[i]), address);
  }
});

Deno.test("Memory keeps an operand larger than the ring where it is used again and again, and no more than that", () => {
  const memory = smallMemory({ ring: 2 * LARGE });
  const size = 16 * LARGE;
  const operand = new Storage(size);
  write(memory, operand, pattern(1, size));
  for (let i = 0; i < 20; i++) {
    const result = new Storage(size);
    memory.begin();
    assertEquals(memory.place(operand), operand.chunk?.address);
    memory.target(result);
    memory.begin();
    memory.place(result);
    memory.target(new Storage(LARGE));
    assert(operand.chunk?.returned === false, `turn ${i}: the operand was paged out`);
    assert(memory.residentBytes <= 3 * size + 2 * LARGE, `turn ${i}: ${memory.residentBytes} bytes are resident`);
  }
  assertEquals(read(memory, operand), pattern(1, size));
  for (let i = 0; i < 40; i++) write(memory, new Storage(LARGE), pattern(i, LARGE));
  assert(memory.residentBytes <= 2 * LARGE, `${memory.residentBytes} bytes are resident`);
  assert(!operand.isResident);
});

Deno.test("Memory writes to a storage that was paged out and comes back", () => {
  const memory = smallMemory({ ring: 4 * SMALL_CHUNK });
  const storage = Storage.from(pattern(1, LARGE));
  assertEquals(read(memory, storage), pattern(1, LARGE));
  write(memory, storage, pattern(2, LARGE));
  for (let i = 0; i < 10; i++) write(memory, new Storage(LARGE), pattern(i, LARGE));
  assertEquals(read(memory, storage), pattern(2, LARGE));
});

Deno.test("Memory drops an unmodified parameter without a copy, and copies a modified one", () => {
  const memory = smallMemory({ window: 2 * LARGE });
  const home = pattern(5, LARGE);
  const parameter = Storage.from(home);
  parameter.persistent = true;
  read(memory, parameter);
  fillWindow(memory);
  assert(!parameter.isResident);
  assert(parameter.chunk?.bytes === home, "the bytes it came with are still its home");
  write(memory, parameter, pattern(6, LARGE));
  fillWindow(memory);
  assert(parameter.chunk?.bytes !== home);
  assertEquals(read(memory, parameter), pattern(6, LARGE));
});

Deno.test("Memory runs a model larger than its window, and the window grows with what comes back", () => {
  const memory = smallMemory({ window: 4 * LARGE });
  const parameters = Array.from({ length: 12 }, (_, i) => {
    const storage = Storage.from(pattern(i, LARGE));
    storage.persistent = true;
    return storage;
  });
  for (let pass = 0; pass < 4; pass++) {
    for (const [i, parameter] of parameters.entries()) assertEquals(read(memory, parameter), pattern(i, LARGE));
  }
  assert(parameters.every((parameter) => parameter.isResident), "after some passes all of them fit");
});

Deno.test("Memory keeps the window small where nothing comes back", () => {
  const memory = smallMemory({ window: 4 * LARGE });
  for (let i = 0; i < 200; i++) {
    const storage = Storage.from(pattern(i, LARGE));
    storage.persistent = true;
    read(memory, storage);
  }
  assert(memory.residentBytes <= 5 * LARGE, `${memory.residentBytes} bytes are resident`);
});

Deno.test("Storage.fill runs when a value is first needed, once, and not where it is overwritten", () => {
  const memory = smallMemory({ ring: 4 * SMALL_CHUNK });
  let runs = 0;
  const storage = new Storage(8, (wasm, address) => {
    runs++;
    wasm.view.fill(7, address, address + 8);
  });
  assertEquals(runs, 0);
  assertEquals(read(memory, storage), new Uint8Array(8).fill(7));
  for (let i = 0; i < 100; i++) write(memory, new Storage(2000), pattern(i, 2000));
  assertEquals(read(memory, storage), new Uint8Array(8).fill(7));
  assertEquals(runs, 1);

  const overwritten = new Storage(8, () => runs++);
  adoptBytes(overwritten, pattern(3, 8));
  assertEquals(readBytes(overwritten, 0, 8), pattern(3, 8));
  assertEquals(runs, 1);
});

Deno.test("Memory.release() gives a temporary's memory back at once", () => {
  const memory = smallMemory();
  const before = memory.residentBytes;
  for (let i = 0; i < 100; i++) {
    const storage = new Storage(LARGE);
    memory.begin();
    memory.place(storage);
    memory.release(storage);
  }
  assertEquals(memory.residentBytes, before);
});

Deno.test("Storage refuses more than a Rust slice holds, and takes nothing for nothing", () => {
  assertThrows(() => new Storage(2 ** 31), RangeError, "Cannot make a storage of 2147483648 bytes");
  const memory = smallMemory();
  const empty = new Storage(0);
  memory.begin();
  assert(memory.place(empty) > 0);
  assertEquals(readBytes(empty, 0, 0).length, 0);
});

Deno.test("Memory says what it could not place", () => {
  const memory = new Memory({ ...instantiate("simd"), allocate: refuseLarge() });
  memory.begin();
  assertThrows(() => memory.place(new Storage(LARGE)), RangeError, "Cannot place 65536 bytes in wasm memory");
});

Deno.test("Memory makes room by itself where wasm cannot grow", () => {
  const exports = instantiate("simd");
  let held = 0;
  const memory = new Memory({
    ...exports,
    allocate: (bytes) => held + bytes > 8 * LARGE ? 0 : (held += bytes, exports.allocate(bytes)),
    release: (address, bytes) => {
      held -= bytes;
      exports.release(address, bytes);
    },
  });
  const storages = Array.from({ length: 20 }, (_, i) => {
    const storage = new Storage(LARGE);
    write(memory, storage, pattern(i, LARGE));
    return storage;
  });
  for (const [i, storage] of storages.entries()) assertEquals(read(memory, storage), pattern(i, LARGE));
});

Deno.test("a loop of synchronous forwards leaves wasm memory flat", () => {
  class Model extends Module {
    linear1 = new Linear(10, 5);
    linear2 = new Linear(5, 2);
    linear3 = new Linear(2, 1);
    override forward(x: Tensor): Tensor {
      return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
    }
  }
  const model = new Model();
  const x = randn([64, 10]);
  const first = model.forward(x);
  const wasm = memory();
  const turn = () => {
    for (let i = 0; i < 20_000; i++) model.forward(x);
  };
  // The first turns fill the ring, whose budget is 64 MiB.
  turn();
  const full = wasm.byteLength;
  turn();
  assertEquals(wasm.byteLength, full);
  assertEquals(model.forward(x).tolist(), first.tolist());
});

function fillWindow(memory: Memory): void {
  for (let i = 0; i < 6; i++) {
    const other = new Storage(LARGE);
    other.persistent = true;
    write(memory, other, pattern(i, LARGE));
  }
}

/** An allocator without room for what is large. */
function refuseLarge(): (bytes: number) => number {
  const { allocate } = instantiate("simd");
  return (bytes) => bytes >= LARGE ? 0 : allocate(bytes);
}
