import { assertEquals } from "@std/assert";
import { editDistance, nearestWord } from "../../src/plan/nearest.ts";

const DISTANCES: readonly (readonly [string, string, number])[] = [
  ["", "", 0],
  ["abc", "", 3],
  ["abc", "abc", 0],
  ["abc", "abd", 1],
  ["abc", "acb", 1],
  ["abc", "ab", 1],
  ["kitten", "sitting", 3],
  ["ca", "abc", 3],
];

for (const [a, b, distance] of DISTANCES) {
  Deno.test(`editDistance() from "${a}" to "${b}" is ${distance}, either way`, () => {
    assertEquals([editDistance(a, b), editDistance(b, a)], [distance, distance]);
  });
}

Deno.test("nearestWord() finds the word that was probably meant, or none", () => {
  const words = ["strict", "mismatch", "initMissing", "allowNoMatch"];
  assertEquals(nearestWord("stirct", words), "strict");
  assertEquals(nearestWord("INIT_MISSING", words), "initMissing");
  assertEquals(nearestWord("allow-no-match", words), "allowNoMatch");
  assertEquals(nearestWord("device", words), null);
  assertEquals(nearestWord("", words), null);
});
