/**
 * A plan or a report as text for a person: the verdict first, then what deserves attention, what went well last.
 *
 * @module
 */

import { showBytes, showCount, showNumber, showShape } from "./amount.ts";
import {
  BOLD,
  CYAN,
  DEFAULT_WIDTH,
  GREEN,
  LEAST_WIDTH,
  Listing,
  type ListingRow,
  painter,
  RED,
  YELLOW,
} from "./listing.ts";
import { showPattern } from "./pattern.ts";
import type { Count, PlanRows, ProblemKind, Share } from "./rows.ts";
import { printable, type TextOptions, wrapText } from "./table.ts";

/** Whether a load is still to come, or has been. */
export type Tense = "planned" | "done";

/** Rows of a section before the rest is counted: what fits a screen with every section there. */
const ROWS = 10;

/** What a refused plan is refused for: one of them, and several; no number where it is about the whole. */
const PROBLEM_WORDS: Record<ProblemKind, readonly [string, string] | string> = {
  missing: ["missing key", "missing keys"],
  unexpected: ["unexpected key", "unexpected keys"],
  mismatch: ["other shape", "other shapes"],
  "not-a-tensor": ["value that is no tensor", "values that are no tensors"],
  upgrade: "keys of an old version",
  assign: ["tensor that cannot require gradients", "tensors that cannot require gradients"],
  unreadable: ["tensor that cannot be read", "tensors that cannot be read"],
  unsupported: ["dtype that is not read", "dtypes that are not read"],
  "no-match": "no key in common",
  coverage: "too little of the model covered",
  cast: ["forbidden cast", "forbidden casts"],
  collision: "colliding names",
};

/** A part of the text: a title, and rows of a key and what is said about it. */
interface Section {
  readonly title: string;
  readonly rows: readonly ListingRow[];
}

/** What a load that is still to come has to read. */
export interface Reading {
  /** Bytes of the file. */
  readonly bytesToRead: number;
  /** Bytes that are needed at once beside the model's own. */
  readonly peakBytes: number;
}

/** How an outcome is put. */
export interface OutcomeTextOptions extends TextOptions {
  /** Whether it is still to come. */
  readonly tense: Tense;
  /** What has to be read, where that is known. */
  readonly reading?: Reading;
}

/** The text of `plan`, before the load or after it. */
export function outcomeText(
  plan: PlanRows,
  { tense: wanted, reading, width = DEFAULT_WIDTH, color = false }: OutcomeTextOptions,
): string {
  // What was refused is never done, also where it is the plan of an error.
  const tense = plan.ok ? wanted : "planned";
  const columns = Math.max(LEAST_WIDTH, width);
  const paint = painter(color);
  const sentences = [...verdict(plan, tense), ...(plan.ok ? readingWords(reading) : [])];
  const [first, ...more] = sentences.map((line) => wrapText(line, columns - 2).join("\n  "));
  const lines = [paint(verdictColor(plan), first), ...more];
  for (const problem of statedProblems(plan)) {
    const [head, ...tail] = wrapText(printable(problem), columns - 2);
    lines.push("", paint(RED, `! ${head}`), ...tail.map((line) => `  ${line}`));
  }
  if (!plan.ok || plan.coverage.model.elements < 1) {
    for (const { option, message } of plan.suggestions) {
      lines.push("", `${paint(BOLD, "Try")} ${paint(CYAN, printable(option))}`);
      lines.push(...wrapText(printable(message), columns - 4).map((line) => `    ${line}`));
    }
  }
  const sections = new Listing({ width, color });
  for (const { title, rows } of sectionsOf(plan, tense)) sections.section(title, rows, { most: ROWS });
  if (!sections.isEmpty) lines.push(sections.toString());
  return lines.join("\n");
}

function verdict(plan: PlanRows, tense: Tense): string[] {
  const { model, checkpoint } = plan.counts;
  if (plan.ok) {
    const [loads, uses] = tense === "planned" ? ["Would load", "Would use"] : ["Loaded", "Used"];
    return [
      share(loads, { of: "the model", counts: model }),
      share(uses, { of: "the checkpoint", counts: checkpoint }),
    ];
  }
  return [
    `Would be refused: ${problemWords(plan).join(", ")}`,
    share("Matches", { of: "the model", counts: model }),
    share("Matches", { of: "the checkpoint", counts: checkpoint }),
  ];
}

function readingWords(reading: Reading | undefined): string[] {
  if (reading === undefined || reading.bytesToRead === 0) return [];
  const { bytesToRead, peakBytes } = reading;
  return [`Would read ${showBytes(bytesToRead)}, with ${showBytes(peakBytes)} of memory beside the model's own`];
}

function problemWords({ problems }: PlanRows): string[] {
  const counts = new Map<ProblemKind, number>();
  for (const { kind, keys } of problems) counts.set(kind, (counts.get(kind) ?? 0) + keys.length);
  return [...counts].map(([kind, count]) => {
    const words = PROBLEM_WORDS[kind];
    return typeof words === "string" ? words : `${showNumber(count)} ${words[count === 1 ? 0 : 1]}`;
  });
}

function verdictColor({ ok, coverage, unexpectedKeys, mismatched }: PlanRows): number {
  if (!ok || coverage.model.elements === 0) return RED;
  return coverage.model.elements === 1 && unexpectedKeys.length + mismatched.length === 0 ? GREEN : YELLOW;
}

function share(verb: string, { of, counts: { part, whole } }: { readonly of: string; readonly counts: Share }): string {
  const fraction = whole.elements === 0
    ? fractionOf(part.tensors, whole.tensors)
    : fractionOf(part.elements, whole.elements);
  if (part.tensors === 0 && whole.tensors > 0) return `${verb} nothing of ${of}: 0 of ${amounts(whole)}`;
  if (fraction === 1) return `${verb} all of ${of}: ${amounts(whole)}`;
  const tensors = part.tensors === whole.tensors
    ? `all ${showNumber(whole.tensors)}`
    : `${showNumber(part.tensors)} of ${showNumber(whole.tensors)}`;
  return `${verb} ${percent(fraction)} of ${of}: ${tensors} tensors, ${showNumber(part.elements)} of ${
    showNumber(whole.elements)
  } elements`;
}

function amounts({ tensors, elements }: Count): string {
  return `${showCount(tensors, "tensor")}, ${showCount(elements, "element")}`;
}

function fractionOf(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

/** Rounded down, so that only a whole is 100 %. */
function percent(fraction: number): string {
  const tenths = Math.floor(fraction * 1000);
  return tenths === 0 && fraction > 0 ? "less than 0.1 %" : `${(tenths / 10).toFixed(1)} %`;
}

/** The problems that no section below shows by itself. */
function statedProblems({ problems }: PlanRows): string[] {
  const shown: readonly ProblemKind[] = ["missing", "unexpected", "mismatch"];
  const stated = problems.filter(({ kind }) => !shown.includes(kind)).map(({ message }) => message);
  return stated.length <= ROWS
    ? stated
    : [...stated.slice(0, ROWS), `and ${showNumber(stated.length - ROWS)} more problems`];
}

function sectionsOf(plan: PlanRows, tense: Tense): Section[] {
  return [
    { title: "Other shapes", rows: mismatchRows(plan) },
    { title: "Missing from the checkpoint", rows: missingRows(plan) },
    { title: "Not in the model", rows: unexpectedRows(plan) },
    { title: tense === "planned" ? "Casts" : "Cast", rows: castRows(plan) },
    { title: "Tied", rows: tiedRows(plan) },
    { title: "Renamed", rows: renamedRows(plan) },
    { title: "Dropped", rows: plan.dropped.map(({ key, rule }) => ({ key, cells: [printable(rule)] })) },
    { title: "Below absent modules, passed over", rows: plan.passedOver.map((key) => ({ key, cells: [] })) },
    { title: "Patterns and rules that met no key", rows: unusedRows(plan) },
    { title: tense === "planned" ? "To load" : "Loaded", rows: loadedRows(plan) },
  ];
}

function mismatchRows({ mismatched, partial, initialisations }: PlanRows): ListingRow[] {
  const parts = new Map(partial.map((part) => [part.key, part]));
  const inits = initialisers(initialisations);
  return mismatched.map(({ key, checkpointShape, modelShape, action }) => {
    const shapes = `${showShape(checkpointShape)} → ${showShape(modelShape)}`;
    const part = parts.get(key);
    if (action === "error") return { key, cells: [shapes, "error"] };
    if (part !== undefined) {
      return { key, cells: [shapes, `${showNumber(part.elements)} of ${showNumber(part.of)} elements`] };
    }
    if (action === "overlap" && !inits.has(key)) return { key, cells: [shapes, "filled whole"] };
    return { key, cells: [shapes, `skipped, ${inits.get(key) ?? "keeps its value"}`] };
  });
}

function missingRows({ missingKeys, allowed, initialisations, shapes, problems }: PlanRows): ListingRow[] {
  const inits = initialisers(initialisations);
  const expected = new Set(allowed.missing);
  const strict = problems.some(({ kind }) => kind === "missing");
  return missingKeys.map((key) => {
    const shape = shapes.model.get(key);
    const what = shape === undefined ? "extra state" : inits.get(key) ?? "keeps its value";
    const fate = expected.has(key) ? `${what}, allowed` : strict ? "error" : what;
    return { key, cells: [shape === undefined ? "" : showShape(shape), fate] };
  });
}

function unexpectedRows({ unexpectedKeys, allowed, shapes, problems }: PlanRows): ListingRow[] {
  const expected = new Set(allowed.unexpected);
  const otherwise = problems.some(({ kind }) => kind === "unexpected") ? "error" : "ignored";
  return unexpectedKeys.map((key) => {
    const shape = shapes.checkpoint.get(key);
    return {
      key,
      cells: [shape === undefined ? "no tensor" : showShape(shape), expected.has(key) ? "allowed" : otherwise],
    };
  });
}

function castRows({ casts }: PlanRows): ListingRow[] {
  return casts.map(({ key, from, to, lossy, overflowed }) => ({
    key,
    cells: [
      `${from} → ${to}`,
      overflowed === undefined
        ? lossy ? "may change values" : ""
        : `${showNumber(overflowed)} finite values overflowed`,
    ],
  }));
}

function tiedRows({ tied, loaded }: PlanRows): ListingRow[] {
  const values = new Set(loaded);
  return tied.map(({ key, to }) => {
    const both = values.has(key) && values.has(to);
    return { key, cells: [`is ${printable(to)}`, both ? "both in the checkpoint, the last wins" : ""] };
  });
}

function renamedRows({ renamed }: PlanRows): ListingRow[] {
  return renamed.map(({ from, to, rule }) => ({ key: from, to, cells: [printable(rule)] }));
}

function unusedRows({ allowed, unusedRules }: PlanRows): ListingRow[] {
  return [
    ...allowed.unusedPatterns.map((pattern) => ({ key: showPattern(pattern), cells: ["strict"] })),
    ...unusedRules.map(({ option, rule }) => ({ key: rule, cells: [option] })),
  ];
}

function loadedRows({ loaded, partial, shapes, transfers }: PlanRows): ListingRow[] {
  const parts = new Set(partial.map(({ key }) => key));
  const turned = new Set(transfers.flatMap((step) => "transpose" in step && step.transpose ? [step.key] : []));
  return loaded.map((key) => {
    const how = [...(turned.has(key) ? ["transposed"] : []), ...(parts.has(key) ? ["in part"] : [])];
    return { key, cells: [showShape(shapes.model.get(key) ?? []), how.join(", ")] };
  });
}

/** What is done to each parameter that receives nothing, by each of its keys. */
function initialisers(initialisations: PlanRows["initialisations"]): Map<string, string> {
  return new Map(initialisations.flatMap(({ keys, action, by }) => {
    const words = action === "keep" ? "keeps its constructor's values" : `initialised by ${by}`;
    return keys.map((key) => [key, words] as const);
  }));
}
