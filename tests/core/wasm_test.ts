import { assert, assertEquals, assertNotEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { chosenVariant, instantiate, moduleBytes } from "../../src/core/wasm.ts";
import { UnsupportedError } from "../../src/errors.ts";
import * as glue from "../../wasm/graft_core.js";

/** Bytes of a block of which three fit, and the third begins beyond 2 GiB. */
const LARGE_BLOCK = 1.25 * 2 ** 30;

/** Runs `body` while the engine validates only modules that `accepts` lets pass. */
function withEngine(accepts: (bytes: Uint8Array) => boolean, body: () => void): void {
  const { validate } = WebAssembly;
  WebAssembly.validate = (bytes) => bytes instanceof Uint8Array && accepts(bytes) && validate(bytes);
  try {
    body();
  } finally {
    WebAssembly.validate = validate;
  }
}

function contains(bytes: Uint8Array, part: readonly number[]): boolean {
  return bytes.some((_, at) => part.every((byte, i) => bytes[at + i] === byte));
}

Deno.test("chosenVariant() takes relaxed SIMD where the engine has it", () => {
  assertEquals(chosenVariant(), WebAssembly.validate(moduleBytes("relaxed")) ? "relaxed" : "simd");
});

Deno.test("chosenVariant() takes plain SIMD where a relaxed instruction is refused", () => {
  // fd 85 02 is f32x4.relaxed_madd.
  withEngine((bytes) => !contains(bytes, [0xfd, 0x85, 0x02]), () => assertEquals(chosenVariant(), "simd"));
});

Deno.test("chosenVariant() says what is missing where there is no SIMD", () => {
  withEngine(() => false, () => {
    const error = assertThrows(() => chosenVariant(), UnsupportedError, "has no WebAssembly SIMD");
    assertEquals(error.feature, "WebAssembly SIMD");
  });
});

Deno.test("the relaxed module has relaxed instructions, and the other one has none", () => {
  assertNotEquals(moduleBytes("simd"), moduleBytes("relaxed"));
  assert(contains(moduleBytes("relaxed"), [0xfd, 0x85, 0x02]));
  assert(!contains(moduleBytes("simd"), [0xfd, 0x85, 0x02]));
});

for (const variant of ["simd", "relaxed"] as const) {
  Deno.test({
    name: `instantiate("${variant}") works at once and without permissions`,
    permissions: "none",
    fn() {
      const core = instantiate(variant);
      const address = core.allocate(64);
      assert(address > 0);
      assertEquals(address % 16, 0);
      core.zero(address, 64);
      assertEquals(new Uint8Array(core.memory.buffer, address, 64), new Uint8Array(64));
      core.release(address, 64);
    },
  });

  Deno.test(`instantiate("${variant}") makes instances with memories of their own`, () => {
    const [a, b] = [instantiate(variant), instantiate("simd")];
    assertNotStrictEquals(a.memory, b.memory);
    const address = a.allocate(16);
    assertEquals(b.allocate(16), address);
    new Uint8Array(a.memory.buffer)[address] = 1;
    new Uint8Array(b.memory.buffer)[address] = 2;
    assertEquals(new Uint8Array(a.memory.buffer)[address], 1);
  });

  Deno.test(`instantiate("${variant}") gives addresses beyond 2 GiB as positive numbers`, () => {
    const core = instantiate(variant);
    const addresses = [1, 2, 3].map(() => core.allocate(LARGE_BLOCK));
    assert(addresses[0] > 0 && addresses[1] > addresses[0]);
    assert(addresses[2] > 2 ** 31, `${addresses}`);
    new Uint8Array(core.memory.buffer)[addresses[2] + LARGE_BLOCK - 1] = 7;
    assertEquals(core.allocate(LARGE_BLOCK), 0);
  });

  Deno.test(`the ${variant} module imports nothing and exports what the declarations name`, () => {
    const module = new WebAssembly.Module(moduleBytes(variant));
    assertEquals(WebAssembly.Module.imports(module), []);
    const declared = Object.keys(glue).filter((name) => name !== "default" && name !== "initSync");
    const exported = WebAssembly.Module.exports(module).map(({ name }) => name).filter((name) =>
      !name.startsWith("__")
    );
    assertEquals(exported.filter((name) => name !== "memory").sort(), declared.sort());
  });
}

Deno.test("instantiate() decodes its module where the engine has no Uint8Array.fromBase64", () => {
  const { fromBase64 } = Uint8Array;
  Reflect.deleteProperty(Uint8Array, "fromBase64");
  try {
    assert(instantiate("simd").allocate(16) > 0);
  } finally {
    Object.defineProperty(Uint8Array, "fromBase64", { value: fromBase64, configurable: true, writable: true });
  }
});
