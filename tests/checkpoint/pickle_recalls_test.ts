import { assertEquals } from "@std/assert";
import { recalledSlots } from "../../src/checkpoint/pickle_recalls.ts";
import { pickle, u16, u32 } from "./archive.ts";

/** What stands between a `BINGET 7` and a `BINGET 9`: opcodes with what follows them, which looks like more of them. */
const BETWEEN: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", pickle()],
  ["PROTO and FRAME", pickle(0x80, 2, 0x95, "hhhhhhhh")],
  ["numbers", pickle("Jhhhh", "Kh", "M", u16(0x6868), "Ghhhhhhhh", 0x8a, 3, "hhh")],
  ["constants", pickle("N", 0x88, 0x89)],
  ["the memo", pickle("qh", "rhhhh", 0x94)],
  ["text", pickle("X", u32(5), "hhhhh", 0x8c, 2, "hh", "Uh".padEnd(2 + 0x68, "h"), "T", u32(1), "h")],
  ["bytes", pickle("C", 3, "hhh", "B", u32(4), "hhhh")],
  ["a global", pickle("chhh\nhh\n")],
  ["the stack", pickle("(012)]}", 0x85, 0x86, 0x87, "tlaesud", 0x8f, 0x90, 0x91)],
  ["calls", pickle(0x93, "R", 0x81, 0x92, "obQ")],
];

for (const [name, between] of BETWEEN) {
  Deno.test(`recalledSlots() steps over ${name}`, () => {
    const program = pickle("h", 7, between, "h", 9, ".", "h", 11);
    assertEquals(recalledSlots(program), new Set([7, 9]));
  });
}

Deno.test("recalledSlots() knows long numbers of slots, and each once", () => {
  assertEquals(recalledSlots(pickle("j", u32(70_000), "h", 3, "j", u32(3), ".")), new Set([70_000, 3]));
});

Deno.test("recalledSlots() of what is cut off are those before", () => {
  for (const cut of [pickle("h"), pickle("j", 1, 2), pickle("X", u32(100), "h"), pickle("chhh\nhh"), pickle("U")]) {
    assertEquals(recalledSlots(pickle("h", 7, cut)), new Set([7]));
  }
  assertEquals(recalledSlots(new Uint8Array(0)), new Set());
});

Deno.test("recalledSlots() leaves alone what recalls by lines, has rare opcodes, or recalls very much", () => {
  for (const program of [pickle("g7\n."), pickle("I1\n."), pickle(0x8d, u32(0), u32(0), "."), pickle("h", 7, 0xff)]) {
    assertEquals(recalledSlots(program), null);
  }
  const many = Uint8Array.from(
    { length: 70_000 * 5 },
    (_, i) => i % 5 === 0 ? 0x6a : Math.floor(i / 5) >> 8 * (i % 5 - 1),
  );
  assertEquals(recalledSlots(many), null);
  assertEquals(recalledSlots(many.subarray(0, 60_000 * 5))?.size, 60_000);
});
