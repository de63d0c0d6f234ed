/**
 * Numbers as Python writes them: `repr(float)`, `"{:.4f}"`, `"{:.4e}"`, integers and tuples of integers.
 *
 * JavaScript's `toFixed` and `toExponential` round an exact half upwards and stop at 100 digits and at 1e21; Python
 * rounds it to even and stops nowhere. The formats here work on the exact binary value instead, as a fraction of
 * two bigints.
 *
 * @module
 */

/** Fraction bits of a float64; above them are 11 bits of exponent. */
const FRACTION_BITS = 52n;

/** What the exponent field of a float64 is reduced by, so that the value is `mantissa · 2^exponent`: 1023 + 52. */
const EXPONENT_BIAS = 1075;

/** `repr(float)` writes an exponent from this power of ten on, and below {@linkcode SMALLEST_POSITIONAL}. */
const FIRST_SCIENTIFIC = 16;

/** The smallest power of ten that `repr(float)` still writes without an exponent: 0.0001. */
const SMALLEST_POSITIONAL = -4;

/** `"{:.<precision>f}".format(value)`: rounded to `precision` decimals, an exact half to even. */
export function formatFixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const digits = scaledInteger(value, precision).toString().padStart(precision + 1, "0");
  const point = digits.length - precision;
  return signOf(value) + digits.slice(0, point) + (precision > 0 ? `.${digits.slice(point)}` : "");
}

/** `"{:.<precision>e}".format(value)`: one digit before the point, `precision` behind it, at least two of exponent. */
export function formatExponent(value: number, precision: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const { digits, power } = significantDigits(value, precision + 1);
  return signOf(value) + scientific(digits, power);
}

/** `repr(float(value))`: the shortest digits that read back as the same float64. A whole number ends in `.0`. */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  // Shortest digits are what JavaScript's own conversion finds too; only their layout differs.
  const [head, exponent] = Math.abs(value).toExponential().split("e");
  const digits = head.replace(".", "");
  const power = Number(exponent);
  if (power < SMALLEST_POSITIONAL || power >= FIRST_SCIENTIFIC) return signOf(value) + scientific(digits, power);
  if (power < 0) return `${signOf(value)}0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  return `${signOf(value)}${whole}.${digits.slice(power + 1) || "0"}`;
}

/** `repr(int(value))`: every digit of a whole number. Throws a RangeError for any other number. */
export function pythonInt(value: number | bigint): string {
  return BigInt(value).toString();
}

/** `repr(tuple(values))` of whole numbers: `(2, 3)`, `(2,)`, `()`. */
export function pythonTuple(values: readonly (number | bigint)[]): string {
  return values.length === 1 ? `(${pythonInt(values[0])},)` : `(${values.map(pythonInt).join(", ")})`;
}

function nonFinite(value: number): string {
  if (Number.isNaN(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

function scientific(digits: string, power: number): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const exponent = Math.abs(power).toString().padStart(2, "0");
  return `${digits[0]}${fraction}e${power < 0 ? "-" : "+"}${exponent}`;
}

/** The first `count` decimal digits of |value|, rounded, and the power of ten of the first one. */
function significantDigits(value: number, count: number): { readonly digits: string; readonly power: number } {
  if (value === 0) return { digits: "0".repeat(count), power: 0 };
  // The shortest digits may have been rounded up into the next power of ten, and so may ours: one step corrects either.
  let power = Number(value.toExponential().split("e")[1]);
  let digits = scaledInteger(value, count - 1 - power).toString();
  while (digits.length !== count) {
    power += digits.length > count ? 1 : -1;
    digits = scaledInteger(value, count - 1 - power).toString();
  }
  return { digits, power };
}

/** |value| · 10^decimals as the nearest whole number, an exact half to even. */
function scaledInteger(value: number, decimals: number): bigint {
  const { mantissa, exponent } = exactValue(value);
  const numerator = mantissa * 10n ** BigInt(Math.max(decimals, 0)) << BigInt(Math.max(exponent, 0));
  const denominator = 10n ** BigInt(Math.max(-decimals, 0)) << BigInt(Math.max(-exponent, 0));
  const quotient = numerator / denominator;
  const doubled = 2n * (numerator % denominator);
  const up = doubled > denominator || (doubled === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** |value| as `mantissa · 2^exponent`, exactly. */
function exactValue(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const bits = new BigUint64Array(new Float64Array([Math.abs(value)]).buffer)[0];
  const field = bits >> FRACTION_BITS;
  const fraction = BigInt.asUintN(Number(FRACTION_BITS), bits);
  // A subnormal has no hidden bit, and the exponent of the smallest normal.
  if (field === 0n) return { mantissa: fraction, exponent: 1 - EXPONENT_BIAS };
  return { mantissa: fraction | (1n << FRACTION_BITS), exponent: Number(field) - EXPONENT_BIAS };
}
