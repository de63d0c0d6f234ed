/**
 * A tensor as text, byte for byte as PyTorch's `repr` writes it.
 *
 * The rules are those of `torch/_tensor_str.py` 2.15: one column width for all elements, scientific notation chosen
 * from the shown values, rows broken at 80 characters, and `...` in every long dimension of a tensor of more than 1000
 * elements. Only elements that are shown are read, each once.
 *
 * @module
 */

import { type DType, DTYPES } from "../dtype.ts";
import { numelOf, type Shape } from "../shape.ts";
import type { Item } from "./elements.ts";
import { formatExponent, formatFixed, pythonTuple } from "./python_number.ts";

/** The dtypes that need no `dtype=` in a tensor with elements: what PyTorch's literals make by themselves. */
const INFERRED_DTYPES: readonly DType[] = ["float32", "complex64", "int64", "bool"];

/** Scientific notation above this ratio of the largest to the smallest shown value, as in PyTorch. */
const SCIENTIFIC_RATIO = 1000;

/** Scientific notation above this value, as in PyTorch. */
const SCIENTIFIC_MAX = 1e8;

/** Scientific notation below this value, as in PyTorch. */
const SCIENTIFIC_MIN = 1e-4;

/** What PyTorch takes for zero in `float8_e8m0fnu`, which has none: the smallest power, 2^-127. */
const E8M0_ZERO = 2 ** -127;

/** What {@linkcode printTensor} needs to know of a tensor. */
export interface Printable {
  /** The element type. */
  readonly dtype: DType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** Whether gradients are recorded: prints `requires_grad=True`. */
  readonly requiresGrad: boolean;
  /** The name of the operation that made it, such as `AddBackward0`: prints `grad_fn=<AddBackward0>` instead. */
  readonly gradFn?: string;
  /** What comes first; `"tensor("` where it is absent, `"Parameter containing:\ntensor("` for a parameter. */
  readonly prefix?: string;
  /** The element at a flat row-major index. */
  at(flatIndex: number): Item;
}

/** The options of `torch.set_printoptions`. */
export interface PrintOptions {
  /** Decimals of a fraction; 4. */
  readonly precision?: number;
  /** The number of elements above which only the edges are shown; 1000. */
  readonly threshold?: number;
  /** How many elements are shown at each end of a dimension; 3. */
  readonly edgeitems?: number;
  /** Characters in a row; 80. */
  readonly linewidth?: number;
  /** Whether to use scientific notation; `null` decides from the values. */
  readonly sciMode?: boolean | null;
}

/** How the elements of one dimension are shown. */
interface Axis {
  /** Which positions are shown. */
  readonly positions: readonly number[];
  /** Before which of them the ellipsis stands; -1 where there is none. */
  readonly gap: number;
}

/** How one column of numbers is written: all alike, padded on the left. */
interface Column {
  readonly width: number;
  format(value: Item): string;
}

/** The elements that are shown, as text, in row-major order, and the space one takes in a row. */
interface Cells {
  readonly texts: readonly string[];
  readonly width: number;
}

/** The text of `tensor` as `torch.Tensor.__repr__` writes it. Throws a RangeError for options that are not counts. */
export function printTensor(tensor: Printable, options: PrintOptions = {}): string {
  const { precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80, sciMode = null } = options;
  checkCounts({ precision, threshold, edgeitems, linewidth });
  const settings = { precision, threshold, edgeitems, linewidth, sciMode };
  const prefix = tensor.prefix ?? "tensor(";
  const indent = prefix.length - (prefix.lastIndexOf("\n") + 1);
  const text = prefix + contentOf(tensor, indent, settings);
  return appendSuffixes(text, suffixesOf(tensor, edgeitems), { indent, linewidth }) + ")";
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    // An endless row, threshold or edge is a way to ask for all of it.
    if (count >= 0 && (Number.isInteger(count) || (name !== "precision" && count === Infinity))) continue;
    throw new RangeError(`Cannot print a tensor with ${name} ${count}: expected a whole number of 0 or more`);
  }
}

function contentOf(tensor: Printable, indent: number, settings: Required<PrintOptions>): string {
  const numel = numelOf(tensor.shape);
  if (numel === 0) return "[]";
  const summarize = numel > settings.threshold;
  const axes = tensor.shape.map((size) => axisOf(size, summarize ? settings.edgeitems : Infinity));
  const cells = cellsOf(tensor.dtype, readShown(tensor, axes), settings);
  return axes.length === 0 ? cells.texts[0] : layOut(axes, cells, { indent, linewidth: settings.linewidth });
}

function axisOf(size: number, edge: number): Axis {
  if (size <= 2 * edge) return { positions: Array.from({ length: size }, (_, i) => i), gap: -1 };
  return { positions: Array.from({ length: 2 * edge }, (_, i) => i < edge ? i : size - 2 * edge + i), gap: edge };
}

/** The shown elements in row-major order. */
function readShown(tensor: Printable, axes: readonly Axis[]): Item[] {
  let indices = [0];
  axes.forEach(({ positions }, axis) => {
    const size = tensor.shape[axis];
    indices = indices.flatMap((index) => positions.map((position) => index * size + position));
  });
  return indices.map((index) => tensor.at(index));
}

function cellsOf(dtype: DType, shown: readonly Item[], settings: Required<PrintOptions>): Cells {
  const { kind } = DTYPES[dtype];
  if (kind === "complex") return complexCells(shown, settings);
  const column = kind === "float"
    ? floatColumn(shown.map(Number), settings, dtype === "float8_e8m0fnu" ? E8M0_ZERO : 0)
    : plainColumn(shown);
  return { texts: shown.map((value) => column.format(value)), width: column.width };
}

/** Real and imaginary parts are a column each, with notation and width of their own. */
function complexCells(shown: readonly Item[], settings: Required<PrintOptions>): Cells {
  const pairs = shown.map((value) => typeof value === "object" ? value : [Number(value), 0] as const);
  const re = floatColumn(pairs.map(([part]) => part), settings, 0);
  const im = floatColumn(pairs.map(([, part]) => part), settings, 0);
  const texts = pairs.map(([real, imaginary]) => {
    const tail = `${im.format(imaginary)}j`.trimStart();
    return re.format(real) + (tail.startsWith("-") ? "" : "+") + tail;
  });
  return { texts, width: re.width + im.width + 1 };
}

/** Whole numbers and booleans: as Python prints one. */
function plainColumn(shown: readonly Item[]): Column {
  return columnOf(shown, pythonItem);
}

/** Floats: all in scientific notation, or all with a bare point (`1.`), or all with `precision` decimals. */
function floatColumn(shown: readonly number[], settings: Required<PrintOptions>, zero: number): Column {
  const { precision, sciMode } = settings;
  // Neither zeros nor infinities have a say in the notation, nor in the width.
  const values = shown.filter((value) => Number.isFinite(value) && Math.abs(value) !== zero);
  const whole = values.every(Number.isInteger);
  const scientific = values.length > 0 && (sciMode ?? wantsScientific(values));
  return columnOf(values, (value) => {
    const number = Number(value);
    if (scientific) return formatExponent(number, precision);
    if (!whole) return formatFixed(number, precision);
    return formatFixed(number, 0) + (Number.isFinite(number) ? "." : "");
  });
}

function wantsScientific(values: readonly number[]): boolean {
  const sizes = values.map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b));
  const smallest = sizes.reduce((a, b) => Math.min(a, b));
  return largest / smallest > SCIENTIFIC_RATIO || largest > SCIENTIFIC_MAX || smallest < SCIENTIFIC_MIN;
}

function columnOf(values: readonly Item[], text: (value: Item) => string): Column {
  const width = values.reduce<number>((widest, value) => Math.max(widest, text(value).length), 1);
  return { width, format: (value) => text(value).padStart(width) };
}

function pythonItem(value: Item): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return value.toString();
}

/** Nests the cells in brackets, one dimension inside the other. */
function layOut(
  axes: readonly Axis[],
  cells: Cells,
  at: { readonly indent: number; readonly linewidth: number },
): string {
  let next = 0;
  return nest(0, at.indent);

  function nest(depth: number, indent: number): string {
    const { positions, gap } = axes[depth];
    if (depth === axes.length - 1) {
      const row = cells.texts.slice(next, next += positions.length);
      return vector(withGap(row, gap, positions.length === 0 ? "..." : " ..."), indent);
    }
    const slices = withGap(positions.map(() => nest(depth + 1, indent + 1)), gap, "...");
    const separator = "," + "\n".repeat(axes.length - 1 - depth) + " ".repeat(indent + 1);
    return `[${slices.join(separator)}]`;
  }

  function vector(row: readonly string[], indent: number): string {
    // Two characters for the comma and the space; at least one element in a row, however wide.
    const perLine = Math.max(1, Math.floor((at.linewidth - indent) / (cells.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < row.length; i += perLine) lines.push(row.slice(i, i + perLine).join(", "));
    return `[${lines.join(",\n" + " ".repeat(indent + 1))}]`;
  }
}

function withGap(texts: readonly string[], gap: number, ellipsis: string): readonly string[] {
  return gap < 0 ? texts : [...texts.slice(0, gap), ellipsis, ...texts.slice(gap)];
}

function suffixesOf(tensor: Printable, edgeitems: number): string[] {
  const { dtype, shape, requiresGrad, gradFn } = tensor;
  const empty = numelOf(shape) === 0;
  const suffixes: string[] = [];
  // Brackets alone show the shape (0,) and no other without elements.
  if (empty ? shape.length !== 1 : edgeitems === 0) suffixes.push(`size=${pythonTuple(shape)}`);
  if (empty ? dtype !== "float32" : !INFERRED_DTYPES.includes(dtype)) suffixes.push(`dtype=torch.${dtype}`);
  if (gradFn !== undefined) suffixes.push(`grad_fn=<${gradFn}>`);
  else if (requiresGrad) suffixes.push("requires_grad=True");
  return suffixes;
}

function appendSuffixes(
  text: string,
  suffixes: readonly string[],
  { indent, linewidth }: { readonly indent: number; readonly linewidth: number },
): string {
  // PyTorch counts two more on the first line than are there, as for the comma and space that follow.
  let length = text.length - (text.lastIndexOf("\n") + 1) + 2;
  let result = text;
  for (const suffix of suffixes) {
    const wraps = length + suffix.length + 2 > linewidth;
    result += (wraps ? `,\n${" ".repeat(indent)}` : ", ") + suffix;
    length = wraps ? indent + suffix.length : length + suffix.length + 2;
  }
  return result;
}
