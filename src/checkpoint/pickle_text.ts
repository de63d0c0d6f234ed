/**
 * The texts inside a pickle: how its strings and the numbers of its oldest opcodes are written.
 *
 * @module
 */

import { numberIn, numberStart } from "./numbered_map.ts";

/** Python writes `\ud800` alone as these three bytes (`surrogatepass`); a strict UTF-8 decoder refuses them. */
const SURROGATE_LEAD = 0xed;

/** Stands for what is not UTF-8, and for itself. */
const REPLACEMENT = "\ufffd";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Characters per call of `String.fromCharCode`, whose argument list lives on the stack. */
const LATIN1_CHUNK = 0x2000;

/**
 * UTF-8 with lone surrogates, as Python's `surrogatepass` writes it; `null` where it is not even that.
 * A JavaScript string holds them as they are.
 */
export function decodeUtf8(bytes: Uint8Array): string | null {
  // The key of a storage is a number, and a number is written faster than a text is decoded.
  if (bytes.length > 0 && numberStart(bytes, 0, bytes.length) === 0) return String(numberIn(bytes, 0, bytes.length));
  const whole = decodeStrict(bytes);
  if (whole !== null) return whole;
  let text = "";
  let start = 0;
  for (let i = bytes.indexOf(SURROGATE_LEAD); i >= 0; i = bytes.indexOf(SURROGATE_LEAD, i + 1)) {
    if (i + 2 >= bytes.length || bytes[i + 1] < 0xa0 || bytes[i + 1] > 0xbf || (bytes[i + 2] & 0xc0) !== 0x80) continue;
    const before = decodeStrict(bytes.subarray(start, i));
    if (before === null) return null;
    text += before + String.fromCharCode(0xd000 | (bytes[i + 1] & 0x3f) << 6 | bytes[i + 2] & 0x3f);
    start = i + 3;
  }
  const rest = decodeStrict(bytes.subarray(start));
  return rest === null ? null : text + rest;
}

/** One character per byte. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += LATIN1_CHUNK) {
    text += String.fromCharCode(...bytes.subarray(i, i + LATIN1_CHUNK));
  }
  return text;
}

/** One byte per character; `null` where a character needs more. */
export function encodeLatin1(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return null;
    bytes[i] = code;
  }
  return bytes;
}

/** A `str` of Python 2, which was bytes: text where it is UTF-8, as `torch.load` reads it, and bytes otherwise. */
export function decodePython2(bytes: Uint8Array): string | Uint8Array {
  return decodeStrict(bytes) ?? bytes.slice();
}

/** A little-endian two's-complement integer of any length; a bigint only beyond ±(2^53 − 1). */
export function decodeLong(bytes: Uint8Array): number | bigint {
  let hex = "";
  for (let i = bytes.length - 1; i >= 0; i--) hex += bytes[i].toString(16).padStart(2, "0");
  if (hex === "") return 0;
  return narrow(BigInt.asIntN(bytes.length * 8, BigInt("0x" + hex)));
}

/** Digits of opcode `INT` or `LONG` (which may end in `L`), or `null`. */
export function parseInteger(text: string): number | bigint | null {
  const match = /^([+-]?)(\d+)L?$/.exec(text.trim());
  if (match === null) return null;
  const magnitude = BigInt(match[2]);
  return narrow(match[1] === "-" ? -magnitude : magnitude);
}

/** A Python `float` literal of opcode `FLOAT`, or `null`. */
export function parseFloatLiteral(text: string): number | null {
  const word = text.trim().toLowerCase();
  const named = /^([+-]?)(nan|inf|infinity)$/.exec(word);
  if (named !== null) return named[2] === "nan" ? NaN : named[1] === "-" ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(word) ? Number(word) : null;
}

/** The quoted literal of opcode `STRING`, with Python's escapes, as bytes; `null` where it is none. */
export function parseQuoted(text: string): Uint8Array | null {
  const quoted = /^(['"])([\s\S]*)\1$/.exec(text.trim());
  if (quoted === null) return null;
  const plain = quoted[2].replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S])/g, (_, escape: string) => {
    if (/^x../.test(escape)) return String.fromCharCode(parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 0xff);
    return SIMPLE_ESCAPES.get(escape) ?? "\\" + escape;
  });
  return encodeLatin1(plain);
}

/** The text of opcode `UNICODE`: Latin-1 in which `\uXXXX` and `\UXXXXXXXX` stand for other characters. */
export function parseRawUnicode(bytes: Uint8Array): string | null {
  const raw = decodeLatin1(bytes);
  let text = "";
  let start = 0;
  for (let i = raw.indexOf("\\"); i >= 0; i = raw.indexOf("\\", i)) {
    const digits = raw[i + 1] === "u" ? 4 : raw[i + 1] === "U" ? 8 : 0;
    if (digits === 0) {
      i += 2; // a backslash and what follows it stand for themselves, also where that is another backslash
      continue;
    }
    const code = raw.slice(i + 2, i + 2 + digits);
    if (code.length !== digits || !/^[0-9a-fA-F]+$/.test(code) || parseInt(code, 16) > 0x10ffff) return null;
    text += raw.slice(start, i) + String.fromCodePoint(parseInt(code, 16));
    i = start = i + 2 + digits;
  }
  return text + raw.slice(start);
}

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["\n", ""],
]);

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function decodeStrict(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "";
  // A decoder that is not strict is twice as fast, and its text tells where the other one has to look.
  const text = utf8.decode(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

/** UTF-8 as Python's `surrogatepass` has it: half a surrogate pair takes three bytes, as any other letter up there. */
export function encodeUtf8(text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    if (code < 0xd800 || code > 0xdfff) bytes.push(...encoder.encode(letter));
    else bytes.push(0xe0 | code >>> 12, 0x80 | code >>> 6 & 0x3f, 0x80 | code & 0x3f);
  }
  return Uint8Array.from(bytes);
}
