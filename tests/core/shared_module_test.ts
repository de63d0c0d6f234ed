import { assertEquals, assertThrows } from "@std/assert";
import { sharedImports, sharedMemory, sharedModule } from "../../src/core/shared_module.ts";
import { moduleBytes } from "../../src/core/wasm.ts";
import { VARIANTS } from "./scratch.ts";

/** Exports and the value of a module of this text: `(memory 1) (global (mut i32) …) (func (export "f") …)`. */
// deno-fmt-ignore
const SMALL = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f,                   // type: () -> i32
  0x03, 0x02, 0x01, 0x00,                                     // one function
  0x05, 0x03, 0x01, 0x00, 0x02,                               // one memory of two pages
  0x06, 0x06, 0x01, 0x7f, 0x01, 0x41, 0x2a, 0x0b,             // the stack pointer, 42
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00,                   // export "f"
  0x0a, 0x06, 0x01, 0x04, 0x00, 0x23, 0x00, 0x0b,             // global.get 0
  0x0b, 0x08, 0x01, 0x00, 0x41, 0x10, 0x0b, 0x02, 0x07, 0x08, // data: 7, 8 at 16
]);

/** What the small module's function gives: its stack pointer. */
function stackOf(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): unknown {
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes), sharedImports(memory)).exports;
  return typeof f === "function" ? f() : f;
}

Deno.test("sharedModule() imports the memory, and writes its data there", () => {
  const memory = sharedMemory(SMALL);
  const { buffer } = memory;
  assertEquals([Object.prototype.toString.call(buffer), buffer.byteLength], ["[object SharedArrayBuffer]", 2 * 65_536]);
  assertEquals(stackOf(sharedModule(SMALL), memory), 42);
  assertEquals([...new Uint8Array(memory.buffer, 15, 4)], [0, 7, 8, 0]);
});

Deno.test("sharedModule() for a further thread has a stack of its own, and leaves the memory as it is", () => {
  for (const stackTop of [0, 63, 64, 8191, 8192, 1_048_576, 2 ** 31 - 16, 2 ** 31, 2 ** 32 - 64]) {
    const memory = sharedMemory(SMALL);
    assertEquals(stackOf(sharedModule(SMALL, { stackTop }), memory), stackTop | 0);
    assertEquals([...new Uint8Array(memory.buffer, 15, 4)], [0, 0, 0, 0]);
  }
});

Deno.test("sharedModule() takes both variants as they are, code and exports", () => {
  for (const variant of VARIANTS) {
    const bytes = moduleBytes(variant);
    const own = new WebAssembly.Module(bytes);
    for (const options of [{}, { stackTop: 4096 }]) {
      const twin = new WebAssembly.Module(sharedModule(bytes, options));
      assertEquals(WebAssembly.Module.exports(twin), WebAssembly.Module.exports(own));
      assertEquals(WebAssembly.Module.imports(twin), [{ module: "graft", name: "memory", kind: "memory" }]);
    }
  }
});

Deno.test("sharedModule() refuses a module that it cannot change rightly", () => {
  const without = SMALL.slice();
  // The section becomes one that engines pass over.
  without[19] = 0;
  assertThrows(() => sharedModule(without), TypeError, "Cannot share a module's memory: it has none");
  const constant = SMALL.slice();
  constant[28] = 0;
  assertThrows(() => sharedModule(constant, { stackTop: 0 }), TypeError, "its first global is not a stack pointer");
});
