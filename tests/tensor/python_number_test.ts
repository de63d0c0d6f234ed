import { assertEquals } from "@std/assert";
import { formatExponent, formatFixed } from "../../src/tensor/python_number.ts";
import fixture from "../fixtures/repr/repr.json" with { type: "json" };

Deno.test("formatFixed() and formatExponent() write floats as Python's format does", () => {
  assertEquals(fixture.floats.length > 300, true);
  for (const [hex, text, precision, fixed, exponent] of fixture.floats) {
    const value = new DataView(Uint8Array.fromHex(String(hex)).buffer).getFloat64(0);
    assertEquals(formatFixed(value, Number(precision)), fixed, `${text} with ${precision} decimals`);
    assertEquals(formatExponent(value, Number(precision)), exponent, `${text} with ${precision} decimals`);
  }
});

Deno.test("formatFixed() rounds an exact half to even", () => {
  assertEquals([0.5, 1.5, 2.5, -0.5, -1.5].map((value) => formatFixed(value, 0)), ["0", "2", "2", "-0", "-2"]);
  assertEquals(formatFixed(0.03125, 4), "0.0312");
});

Deno.test("formatExponent() carries into the exponent, and back out of a shortest text rounded up", () => {
  assertEquals(formatExponent(9.99999, 2), "1.00e+01");
  assertEquals(formatExponent(1e23, 4), "1.0000e+23");
  assertEquals(formatExponent(1e23, 20), "9.99999999999999916114e+22");
});
