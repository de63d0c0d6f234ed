/**
 * Amounts as a person reads them.
 *
 * @module
 */

import type { Shape } from "../shape.ts";

/** Decimal, as disks and networks count. */
const BYTE_UNITS: readonly string[] = ["kB", "MB", "GB", "TB"];

/** `1,234`. */
export function showNumber(n: number): string {
  return n.toLocaleString("en-US");
}

/** `1 tensor`, `2 tensors`. */
export function showCount(n: number, noun: string): string {
  return `${showNumber(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** `268 bytes`, `1.23 MB`. */
export function showBytes(byteLength: number): string {
  if (byteLength < 1000) return showCount(byteLength, "byte");
  let value = byteLength;
  let unit = "";
  for (const next of BYTE_UNITS) {
    // What would be rounded up to 1000 is 1 of the next unit.
    if (value < 999.5 && unit !== "") break;
    value /= 1000;
    unit = next;
  }
  return `${value.toPrecision(Math.max(3, String(Math.floor(value)).length))} ${unit}`;
}

/** `[5, 10]`. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
