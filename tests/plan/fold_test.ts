import { assertEquals } from "@std/assert";
import { foldedGlob, foldKeys } from "../../src/plan/fold.ts";

const CASES: readonly (readonly [keys: readonly string[], lines: readonly string[]])[] = [
  [[], []],
  [["a.b"], ["a.b"]],
  [["l.0.w", "l.1.w", "l.2.w"], ["l.{0..2}.w"]],
  [["l.0.w", "l.1.w"], ["l.{0,1}.w"]],
  [["l.2.w", "l.0.w", "l.10.w", "l.1.w"], ["l.{0..2,10}.w"]],
  [["l.0.w", "l.0.b", "l.1.w", "l.1.b"], ["l.{0,1}.w", "l.{0,1}.b"]],
  [["l.0.e.0", "l.0.e.1", "l.1.e.0", "l.1.e.1"], ["l.{0,1}.e.{0,1}"]],
  [["l.0.e.0", "l.0.e.1", "l.1.e.0"], ["l.0.e.{0,1}", "l.1.e.0"]],
  [["0", "1", "2"], ["{0..2}"]],
  [["a.00", "a.01"], ["a.00", "a.01"]],
  [["a.1b", "a.2b"], ["a.1b", "a.2b"]],
  [["a.0", "b.0", "a.1"], ["a.{0,1}", "b.0"]],
  [["", "."], ["", "."]],
  [["\0.w", "0.w"], ["\0.w", "0.w"]],
];

for (const [keys, lines] of CASES) {
  Deno.test(`foldKeys() folds ${JSON.stringify(keys)}`, () => {
    const folded = foldKeys(keys);
    assertEquals(folded.map(({ text }) => text), lines);
    assertEquals(folded.flatMap(({ keys }) => keys).toSorted(), keys.toSorted());
  });
}

Deno.test("foldKeys() stands for exactly its keys", () => {
  const keys = Array.from({ length: 60 }, (_, i) => `a.${i % 7}.b.${(i * i) % 11}.c.${i % 3}`);
  const distinct = [...new Set(keys)];
  const unfolded = foldKeys(distinct).flatMap(({ text }) => expand(text));
  assertEquals(unfolded.toSorted(), distinct.toSorted());
});

Deno.test("foldedGlob() stars the indices", () => {
  assertEquals(foldedGlob("layers.11.attn.0"), "layers.*.attn.*");
  assertEquals(foldedGlob("conv1.weight"), "conv1.weight");
});

/** The keys of a folded line, by hand. */
function expand(text: string): string[] {
  const found = text.match(/^(.*?)\{([^}]*)\}(.*)$/s);
  if (found === null) return [text];
  const [, before, set, after] = found;
  const numbers = set.split(",").flatMap((run) => {
    const [first, last = first] = run.split("..").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return numbers.flatMap((number) => expand(after).map((rest) => `${before}${number}${rest}`));
}
