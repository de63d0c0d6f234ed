/**
 * Which of the values that a pickle puts into its memo it takes out again. Python's pickler puts nearly everything there
 * and asks for a few, so a reader that knows which need not keep the others.
 *
 * Source: CPython's `Lib/pickletools.py`, which says what follows each opcode.
 *
 * @module
 */

/** More than these are not worth a table: whoever recalls so much keeps everything. */
const MAX_RECALLED = 1 << 16;

/** How many bytes follow an opcode where it is always the same number; 0 for those that are not listed. */
const FIXED: readonly (readonly [code: number | string, bytes: number])[] = [
  [0x80, 1], // PROTO
  [0x95, 8], // FRAME
  ["q", 1], // BINPUT
  ["r", 4], // LONG_BINPUT
  ["h", 1], // BINGET
  ["j", 4], // LONG_BINGET
  ["J", 4], // BININT
  ["K", 1], // BININT1
  ["M", 2], // BININT2
  ["G", 8], // BINFLOAT
];

/** The opcodes without anything behind them. */
const ALONE = "(012N)]}tsueabRlQod" + "\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94";

/** The opcodes before a length of one byte, or of four, and as many bytes. */
const COUNTED8 = "UC\x8a\x8c";
const COUNTED32 = "XTB";

const [STOP, GLOBAL, BINGET, LONG_BINGET, LINE_FEED] = [0x2e, 0x63, 0x68, 0x6a, 0x0a];

/** What follows an opcode: a number of bytes, or one of these. */
const [BY_LENGTH8, BY_LENGTH32, TWO_LINES, OTHER] = [-1, -2, -3, -4];

/** The bytes of a length, by the number above with its sign changed. */
const LENGTH_BYTES: readonly number[] = [0, 1, 4, 0, 0];

/** By the opcode's byte. */
const FOLLOWED: Int8Array = followed();

/**
 * The slots that the pickle at the start of `bytes` recalls; `null` where they are many, or only running it would tell.
 * Of one that is cut off they are those before its end.
 */
export function recalledSlots(bytes: Uint8Array): ReadonlySet<number> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const slots = new Set<number>();
  /** The slots below 256 that are among them: most opcodes that recall have one of these. */
  const low = new Uint8Array(256);
  for (let at = 1; at <= bytes.length;) {
    const opcode = bytes[at - 1];
    const length = FOLLOWED[opcode];
    const needed = length >= 0 ? length : LENGTH_BYTES[-length];
    if (opcode === STOP || at + needed > bytes.length) return slots;
    if (opcode === BINGET && low[bytes[at]] === 0) {
      low[bytes[at]] = 1;
      slots.add(bytes[at]);
    }
    if (opcode === LONG_BINGET) slots.add(view.getUint32(at, true));
    if (length === OTHER || slots.size > MAX_RECALLED) return null;
    if (length === TWO_LINES) at = afterLine(bytes, afterLine(bytes, at));
    else if (length === BY_LENGTH8) at += 1 + bytes[at];
    else if (length === BY_LENGTH32) at += 4 + view.getUint32(at, true);
    else at += length;
    at++;
  }
  return slots;
}

function afterLine(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from);
  return end < 0 ? bytes.length : end + 1;
}

function followed(): Int8Array {
  const table = new Int8Array(256).fill(OTHER);
  for (const [code, bytes] of FIXED) table[typeof code === "string" ? code.charCodeAt(0) : code] = bytes;
  for (const code of ALONE) table[code.charCodeAt(0)] = 0;
  for (const code of COUNTED8) table[code.charCodeAt(0)] = BY_LENGTH8;
  for (const code of COUNTED32) table[code.charCodeAt(0)] = BY_LENGTH32;
  table[GLOBAL] = TWO_LINES;
  return table;
}
