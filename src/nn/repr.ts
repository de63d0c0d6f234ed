/**
 * The text of a module, byte for byte as PyTorch's `repr` writes it, and the values in it as Python writes them.
 *
 * The rules are those of `Module.__repr__`, `ModuleList.__repr__` and `_addindent` of PyTorch 2.15. Everything here is
 * text in and text out; a module's class hands over the texts of its children.
 *
 * @module
 */

import { pythonFloat, pythonInt, pythonTuple } from "../tensor/python_number.ts";

export { pythonFloat, pythonInt, pythonTuple };

/** How far the lines of a child stand in. */
const INDENT = "  ";

/** What `repr` in Python escapes in a string: what is not printable, all white space but the space among it. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

/** What Python writes for the few control characters that have a name of their own. */
const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** What {@linkcode moduleRepr} needs to know of a module. */
export interface ModuleText {
  /** The name of its class. */
  readonly className: string;
  /** Its own settings, as `extra_repr` gives them; may be empty, and may have several lines. */
  readonly extraRepr: string;
  /** Its children in order: the name, and the child's own text. */
  readonly children: readonly (readonly [name: string, text: string])[];
}

/** The text of a module: its settings behind its name, or settings and children on lines of their own. */
export function moduleRepr({ className, extraRepr, children }: ModuleText): string {
  const settings = extraRepr === "" ? [] : extraRepr.split("\n");
  if (children.length === 0 && settings.length === 1) return `${className}(${settings[0]})`;
  return enclosed(className, [...settings, ...children.map(([name, text]) => `(${name}): ${indented(text, isBlank)}`)]);
}

/** The text of a `ModuleList`: neighbours that read alike are one line, `(0-2): 3 x Linear(…)`. */
export function moduleListRepr(className: string, texts: readonly string[]): string {
  const lines: string[] = [];
  for (let first = 0; first < texts.length;) {
    let end = first + 1;
    while (end < texts.length && texts[end] === texts[first]) end++;
    const count = end - first;
    const line = count === 1 ? `(${first}): ${texts[first]}` : `(${first}-${end - 1}): ${count} x ${texts[first]}`;
    lines.push(indented(line, never));
    first = end;
  }
  return enclosed(className, lines);
}

/**
 * `repr` of a value: `True`, `None`, `'none'`, `0.5`, `3`. A whole number is an int here; where Python has a float, such
 * as the 1.0 of `ELU(alpha=1.0)`, use {@linkcode pythonFloat}.
 */
export function pythonRepr(value: number | bigint | boolean | string | null): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return pythonString(value);
  return typeof value === "bigint" || Number.isInteger(value) ? pythonInt(value) : pythonFloat(value);
}

function enclosed(className: string, lines: readonly string[]): string {
  if (lines.length === 0) return `${className}()`;
  return `${className}(\n${lines.map((line) => INDENT + line).join("\n")}\n)`;
}

/** Moves every line but the first one in; those that `empties` picks become empty. */
function indented(text: string, empties: (line: string) => boolean): string {
  const [first, ...rest] = text.split("\n");
  return [first, ...rest.map((line) => empties(line) ? "" : INDENT + line)].join("\n");
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

/** `ModuleList` has an older copy of `_addindent`, which indents blank lines too. */
function never(): boolean {
  return false;
}

function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = Array.from(text, (character) => {
    if (character === "\\" || character === quote) return `\\${character}`;
    return character === " " || !UNPRINTABLE.test(character) ? character : escapeOf(character);
  });
  return quote + escaped.join("") + quote;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const named = NAMED_ESCAPES.get(character);
  if (named !== undefined) return named;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
