import { assertEquals, assertThrows } from "@std/assert";
import { Cursor } from "../../src/bytes/cursor.ts";
import { CheckpointError, TruncatedError } from "../../src/errors.ts";

const about = { what: "data.pkl", format: "torch-zip" };

Deno.test("Cursor reads little-endian numbers, and big-endian floats", () => {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer, 3);
  view.setUint8(0, 200);
  view.setUint16(1, 60000, true);
  view.setUint32(3, 4_000_000_000, true);
  view.setInt32(7, -5, true);
  view.setBigUint64(11, 2n ** 53n - 1n, true);
  view.setFloat64(19, -0.1);
  const cursor = new Cursor(bytes.subarray(3), about);
  assertEquals([cursor.u8(), cursor.u16(), cursor.u32(), cursor.i32()], [200, 60000, 4_000_000_000, -5]);
  assertEquals([cursor.u64(), cursor.f64BigEndian()], [2 ** 53 - 1, -0.1]);
  assertEquals([cursor.position, cursor.remaining], [27, 10]);
});

Deno.test("Cursor never reads past the end", () => {
  const make = () => new Cursor(Uint8Array.of(1, 2, 3), { ...about, base: 100 });
  for (const read of ["u32", "i32", "u64", "f64BigEndian", "line"] as const) {
    const error = assertThrows(() => make()[read](), TruncatedError);
    assertEquals([error.offset, error.got], [100, 3]);
  }
  assertThrows(() => make().bytes(4), TruncatedError, "needs 4 bytes at 100, there are 3");
  assertThrows(() => make().skip(4), TruncatedError);
  assertThrows(() => make().bytes(NaN), TruncatedError);
});

Deno.test("Cursor refuses sizes beyond 2^53", () => {
  const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0x20, 0);
  const error = assertThrows(() => new Cursor(bytes, { ...about, base: 8 }).u64(), CheckpointError);
  assertEquals([error.offset, error.format], [8, "torch-zip"]);
});

Deno.test("Cursor.line() stops before the line feed and steps over it", () => {
  const cursor = new Cursor(new TextEncoder().encode("ab\n\nc"), about);
  assertEquals([cursor.line(), cursor.line()], [new TextEncoder().encode("ab"), new Uint8Array(0)]);
  assertThrows(() => cursor.line(), TruncatedError);
});
