import { assertEquals } from "@std/assert";
import { type DType, DTYPE_NAMES, isDType } from "../../src/dtype.ts";
import { isLossy } from "../../src/plan/cast.ts";

/** Written by `generators/widening.py`. */
interface Widening {
  readonly dtypes: readonly string[];
  readonly widening: Readonly<Record<string, readonly string[]>>;
}

const url = new URL("../fixtures/widening/widening.json", import.meta.url);
const { dtypes, widening }: Widening = JSON.parse(Deno.readTextFileSync(url));

for (const from of dtypes.filter(isDType)) {
  Deno.test(`isLossy() is false exactly where PyTorch's cast from ${from} keeps every value`, () => {
    const kept = dtypes.filter(isDType).filter((to) => to !== from && !isLossy(from, to));
    assertEquals(kept, widening[from]);
  });
}

Deno.test("isLossy() knows every dtype that PyTorch was asked about, and bcomplex32 beside them", () => {
  assertEquals(DTYPE_NAMES.filter((name) => !dtypes.includes(name)), ["bcomplex32"]);
  const kept = DTYPE_NAMES.filter((to) => !isLossy("bcomplex32", to));
  assertEquals(kept, ["complex64", "complex128", "bcomplex32"] satisfies DType[]);
  assertEquals(isLossy("bfloat16", "bcomplex32"), false);
  assertEquals(isLossy("float16", "bcomplex32"), true);
});

Deno.test("isLossy() takes a dtype that is not read for lossy, and no cast for none", () => {
  assertEquals(isLossy("qint8", "float32"), true);
  assertEquals(DTYPE_NAMES.some((name) => isLossy(name, name)), false);
});
