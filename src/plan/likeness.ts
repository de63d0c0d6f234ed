/**
 * How alike two keys are, segment by segment, and what turns one into the other.
 *
 * @module
 */

import type { Edit } from "./edit.ts";

/** Names of one thing in different libraries and versions, from either side: TensorFlow's norms, the old `weight_norm`. */
const SYNONYMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["weight", ["gamma", "kernel", "scale"]],
  ["gamma", ["weight"]],
  ["kernel", ["weight"]],
  ["scale", ["weight"]],
  ["bias", ["beta"]],
  ["beta", ["bias"]],
  ["running_mean", ["moving_mean"]],
  ["moving_mean", ["running_mean"]],
  ["running_var", ["moving_variance"]],
  ["moving_variance", ["running_var"]],
  ["weight_g", ["original0"]],
  ["original0", ["weight_g"]],
  ["weight_v", ["original1"]],
  ["original1", ["weight_v"]],
]);

const SYNONYM_LIKENESS = 0.8;
/** The most that two different names come to. */
const SPELLING_LIKENESS = 0.5;
/** Two numbers: the same place, probably, in another count. */
const INDEX_LIKENESS = 0.4;

/** A step of an alignment: a pair of segments, or one side alone. */
interface Step {
  readonly from: string | null;
  readonly to: string | null;
}

/** How many segments two keys, cut at their dots, have in common, in the same order; nearly the same counts in part. */
export function commonSegments(from: readonly string[], to: readonly string[]): number {
  return scoresOf(from, to)[0];
}

/** What turns one key into the other, from left to right, so that the most of their segments are kept. */
export function editsBetween(from: readonly string[], to: readonly string[]): Edit[] {
  const width = to.length + 1;
  const scores = scoresOf(from, to);
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const here = scores[i * width + j];
    const both = i < from.length && j < to.length;
    if (both && here === segmentLikeness(from[i], to[j]) + scores[(i + 1) * width + j + 1]) {
      steps.push({ from: from[i++], to: to[j++] });
    } else if (i < from.length && (j === to.length || here === scores[(i + 1) * width + j])) {
      steps.push({ from: from[i++], to: null });
    } else steps.push({ from: null, to: to[j++] });
  }
  return editsOf(steps);
}

/** The best total likeness of what is left from each place on (Needleman–Wunsch). */
function scoresOf(from: readonly string[], to: readonly string[]): Float64Array {
  const width = to.length + 1;
  const scores = new Float64Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const both = segmentLikeness(from[i], to[j]) + scores[(i + 1) * width + j + 1];
      scores[i * width + j] = Math.max(both, scores[(i + 1) * width + j], scores[i * width + j + 1]);
    }
  }
  return scores;
}

/** 1 for the same, 0.8 for synonyms, at most 0.5 for names with a beginning or an end in common. */
export function segmentLikeness(a: string, b: string): number {
  if (a === b) return 1;
  if (SYNONYMS.get(a)?.includes(b)) return SYNONYM_LIKENESS;
  if (isIndex(a) || isIndex(b)) return isIndex(a) && isIndex(b) ? INDEX_LIKENESS : 0;
  const longest = Math.max(a.length, b.length);
  const shortest = Math.min(a.length, b.length);
  let head = 0;
  while (head < shortest && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shortest - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return SPELLING_LIKENESS * (head + tail) / longest;
}

function editsOf(steps: readonly Step[]): Edit[] {
  const edits: Edit[] = [];
  for (let start = 0; start < steps.length;) {
    if (isSame(steps[start])) {
      start++;
      continue;
    }
    let end = start;
    while (end < steps.length && !isSame(steps[end])) end++;
    edits.push(editOf(steps, { start, end }));
    start = end;
  }
  return edits;
}

/** An edit needs something to hold on to: what is only inserted, or is an index, takes a neighbour along. */
function editOf(steps: readonly Step[], { start, end }: { readonly start: number; readonly end: number }): Edit {
  const run = steps.slice(start, end);
  const from = run.flatMap((step) => step.from ?? []);
  const to = run.flatMap((step) => step.to ?? []);
  const before = steps[start - 1]?.from ?? null;
  const after = steps[end]?.from ?? null;
  const loose = from.every(isIndex) && !(from.length === 0 && start === 0);
  const atStart = start === 0;
  const atEnd = end === steps.length;
  if (!loose) return { atStart, atEnd, from, to };
  if (before !== null && (!isIndex(before) || after === null || isIndex(after))) {
    return { atStart: start === 1, atEnd, from: [before, ...from], to: [before, ...to] };
  }
  if (after === null) return { atStart, atEnd, from, to };
  return { atStart, atEnd: end + 1 === steps.length, from: [...from, after], to: [...to, after] };
}

function isSame({ from, to }: Step): boolean {
  return from === to;
}

function isIndex(segment: string): boolean {
  return /^(?:\d+|#)$/.test(segment);
}
