/**
 * A measured number, with what it has to be.
 *
 * @module
 */

/** What a number has to be: at least so much, or at most. */
export type Bar = { readonly least: number } | { readonly most: number };

/** One number of a run. */
export interface Figure {
  /** What was measured, and in what unit. */
  readonly what: string;
  /** `null` where what it compares with is not installed. */
  readonly value: number | null;
  /** What it has to be; without one it is there to be known. */
  readonly bar?: Bar;
  /** Whether enough quiet samples stand behind it; yes, unless said. */
  readonly isQuiet?: boolean;
  /** What stands beside it, which may differ from run to run: the worst shape, the times of the peers. */
  readonly note?: string;
}

/** The same figure in several runs. */
export interface Row {
  readonly what: string;
  readonly bar?: Bar;
  /** In the order of the runs; a run in which it was not measured has none. */
  readonly figures: readonly Figure[];
}

/** Puts figures of the same name together, in the order of the first run. */
export function rowsOf(runs: readonly (readonly Figure[])[]): readonly Row[] {
  const rows = new Map<string, { readonly bar?: Bar; readonly figures: Figure[] }>();
  for (const figure of runs.flat()) {
    const { what, bar } = figure;
    const row = rows.get(what) ?? { bar, figures: [] };
    row.figures.push(figure);
    rows.set(what, row);
  }
  return Array.from(rows, ([what, { bar, figures }]) => ({ what, bar, figures }));
}

/** A bar as it stands in the table. */
export function barText(bar: Bar | undefined): string {
  if (bar === undefined) return "";
  return "least" in bar ? `≥ ${bar.least}` : `≤ ${bar.most}`;
}

/** A figure as it stands in the table. */
export function figureText({ value, isQuiet = true }: Figure): string {
  if (value === null) return "not installed";
  return isQuiet ? digits(value) : `~${digits(value)}`;
}

/** Whether the bar is reached in every run. */
export function verdict({ bar, figures }: Row): string {
  if (bar === undefined || figures.some(({ value }) => value === null)) return "";
  return figures.every(({ value }) => value !== null && reaches(value, bar)) ? "reached" : "NOT reached";
}

/** A number to two decimals, or to fewer where it is large. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 0.1 || size === 0 ? value.toFixed(2) : value.toPrecision(2);
}

function reaches(value: number, bar: Bar): boolean {
  return "least" in bar ? value >= bar.least : value <= bar.most;
}
