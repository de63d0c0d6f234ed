/**
 * Which modules of the checkpoint are probably which modules of the model, from their names and shapes together.
 *
 * Modules whose paths differ only in numbers are one pattern. Patterns whose first tensors have one shape are compared with
 * their neighbours in sorted order only, so that the work is n log n.
 *
 * @module
 */

import type { Shape } from "../shape.ts";
import { type Edit, editName, moreSpecificFirst, trimNumbers } from "./edit.ts";
import { commonSegments, editsBetween, segmentLikeness } from "./likeness.ts";

/** Neighbours in either sorted order that a pattern is compared with, on either side. */
const NEIGHBOURS = 4;
/** Modules must be this much alike, or this much where no other pattern on either side has their shape of two or more sizes. */
const LEAST_LIKENESS = 0.45;
const LEAST_LIKENESS_OF_ONE = 0.3;
/** What equally many modules, and tensors of the same shapes, add to the likeness of two patterns. */
const SAME_COUNT_BONUS = 0.2;
const SAME_SHAPES_BONUS = 0.2;
/** Patterns that are compared, the ones of most modules first: names without structure are not worth seconds. */
const MOST_PATTERNS = 20_000;
/** More edits than this are no rule. */
const MOST_EDITS = 16;

/** A key without its partner. */
export interface LonelyKey {
  /** The key. */
  readonly key: string;
  /** Its tensor's shape. */
  readonly shape: Shape;
}

/** Modules whose paths differ only in their numbers, and whose tensors have the same names and shapes. */
interface ModulePattern {
  readonly index: number;
  /** The path, its numbers as `#`. */
  readonly text: string;
  readonly segments: readonly string[];
  /** The shape of the first tensor: what patterns are told apart by. */
  readonly shape: string;
  readonly leaves: readonly Leaf[];
  /** The modules' paths. */
  readonly paths: readonly string[];
}

/** A tensor in a module. */
interface Leaf {
  readonly name: string;
  readonly shape: string;
}

/** A pattern of the checkpoint and the pattern of the model that it probably is. */
interface PatternPair {
  readonly from: ModulePattern;
  readonly to: ModulePattern;
}

/** Sets of edits that belong together, the one that concerns most keys first. */
export function guessEdits(strangers: readonly LonelyKey[], missing: readonly LonelyKey[]): Edit[][] {
  return editSets(pairPatterns(patternsOf(strangers), patternsOf(missing)));
}

/** Pairs patterns one to one, the most alike first. */
function pairPatterns(from: readonly ModulePattern[], to: readonly ModulePattern[]): PatternPair[] {
  const shapes = { from: shapeCounts(from), to: shapeCounts(to) };
  const candidates = new Map<number, { readonly pair: PatternPair; readonly score: number } | null>();
  for (const order of [pathOf, reversedPathOf]) {
    for (const [a, b] of neighbours({ from, to, order })) {
      const id = a.index * to.length + b.index;
      if (candidates.has(id)) continue;
      const likeness = likenessOf(a, b);
      const isOnlyOne = a.shape.includes(",") && shapes.from.get(a.shape) === 1 && shapes.to.get(a.shape) === 1;
      const isLikely = likeness >= (isOnlyOne ? LEAST_LIKENESS_OF_ONE : LEAST_LIKENESS);
      candidates.set(id, isLikely ? { pair: { from: a, to: b }, score: likeness + bonusOf(a, b) } : null);
    }
  }
  const taken = new Set<ModulePattern>();
  const likely = [...candidates.values()].filter((candidate) => candidate !== null);
  return likely.sort((a, b) => b.score - a.score).flatMap(({ pair }) => {
    if (taken.has(pair.from) || taken.has(pair.to)) return [];
    taken.add(pair.from).add(pair.to);
    return [pair];
  });
}

/** The path's segments and the tensors' names together, the latter as one segment. */
function likenessOf(a: ModulePattern, b: ModulePattern): number {
  const longest = Math.max(a.segments.length, b.segments.length) + 1;
  const leaves = leafPairs(a.leaves, b.leaves);
  const names = leaves.reduce((sum, [x, y]) => sum + segmentLikeness(x.name, y.name), 0);
  return (commonSegments(a.segments, b.segments) + names / Math.max(a.leaves.length, b.leaves.length)) / longest;
}

function bonusOf(a: ModulePattern, b: ModulePattern): number {
  const sameShapes = a.leaves.map(({ shape }) => shape).join() === b.leaves.map(({ shape }) => shape).join();
  return (a.paths.length === b.paths.length ? SAME_COUNT_BONUS : 0) + (sameShapes ? SAME_SHAPES_BONUS : 0);
}

/** Pairs the tensors of two modules: by name, then the most alike of one shape. */
function leafPairs(from: readonly Leaf[], to: readonly Leaf[]): (readonly [Leaf, Leaf])[] {
  const left = new Set(to);
  const pairs: (readonly [Leaf, Leaf])[] = [];
  const rest = from.filter((leaf) => {
    const same = to.find(({ name, shape }) => name === leaf.name && shape === leaf.shape);
    if (same === undefined) return true;
    left.delete(same);
    pairs.push([leaf, same]);
    return false;
  });
  for (const leaf of rest) {
    const fitting = [...left].filter(({ shape }) => shape === leaf.shape);
    if (fitting.length === 0) continue;
    const best = fitting.reduce((a, b) =>
      segmentLikeness(leaf.name, b.name) > segmentLikeness(leaf.name, a.name) ? b : a
    );
    left.delete(best);
    pairs.push([leaf, best]);
  }
  return pairs;
}

function patternsOf(keys: readonly LonelyKey[]): ModulePattern[] {
  const modules = new Map<string, Leaf[]>();
  for (const { key, shape } of keys) {
    const dot = key.lastIndexOf(".");
    const path = key.slice(0, Math.max(dot, 0));
    const leaf = { name: key.slice(dot + 1), shape: shape.join() };
    const leaves = modules.get(path);
    if (leaves === undefined) modules.set(path, [leaf]);
    else leaves.push(leaf);
  }
  const patterns = new Map<string, { text: string; shape: string; leaves: readonly Leaf[]; paths: string[] }>();
  for (const [path, leaves] of modules) {
    const text = path.replaceAll(/\d+/g, "#");
    const id = [text, ...leaves.map(({ name, shape }) => `${name} ${shape}`)].join("\n");
    const pattern = patterns.get(id);
    if (pattern === undefined) patterns.set(id, { text, shape: leaves[0].shape, leaves, paths: [path] });
    else pattern.paths.push(path);
  }
  return [...patterns.values()].sort((a, b) => b.paths.length - a.paths.length).slice(0, MOST_PATTERNS)
    .map((pattern, index) => ({ ...pattern, index, segments: segmentsOf(pattern.text) }));
}

function shapeCounts(patterns: readonly ModulePattern[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { shape } of patterns) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  return counts;
}

/** Patterns of one shape that are close in an order of the two sides together. */
function* neighbours(
  { from, to, order }: {
    readonly from: readonly ModulePattern[];
    readonly to: readonly ModulePattern[];
    readonly order: (pattern: ModulePattern) => string;
  },
): Generator<readonly [ModulePattern, ModulePattern]> {
  const all = [
    ...from.map((pattern) => ({ pattern, at: `${pattern.shape}\n${order(pattern)}`, side: "from" as const })),
    ...to.map((pattern) => ({ pattern, at: `${pattern.shape}\n${order(pattern)}`, side: "to" as const })),
  ].sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  // Only the last few of the other side are near: both are kept while walking once through the order.
  const recent: { from: ModulePattern[]; to: ModulePattern[] } = { from: [], to: [] };
  for (const { pattern, side } of all) {
    for (const other of side === "from" ? recent.to : recent.from) {
      if (other.shape === pattern.shape) yield side === "from" ? [pattern, other] : [other, pattern];
    }
    recent[side].push(pattern);
    if (recent[side].length > NEIGHBOURS) recent[side].shift();
  }
}

/** Edits that belong together, by name, and how many keys they concern. */
interface EditGroup {
  readonly edits: Map<string, Edit>;
  weight: number;
}

/** Sets of edits, one for each group of pairs that share an edit, the one that concerns most keys first. */
function editSets(pairs: readonly PatternPair[]): Edit[][] {
  const groups = new Map<string, EditGroup>();
  for (const { edits, weight } of pairs.flatMap(memberEdits)) {
    const names = edits.map(editName);
    const related = new Set(names.flatMap((name) => groups.get(name) ?? []));
    // The largest group takes in the others, so that each edit moves a logarithmic number of times.
    const [home = { edits: new Map<string, Edit>(), weight: 0 }, ...rest] = [...related].sort(byEdits);
    edits.forEach((edit, i) => home.edits.set(names[i], edit));
    home.weight += weight;
    for (const group of rest) {
      home.weight += group.weight;
      for (const [name, edit] of group.edits) home.edits.set(name, edit);
    }
    for (const name of [...names, ...rest.flatMap((group) => [...group.edits.keys()])]) groups.set(name, home);
  }
  return [...new Set(groups.values())]
    .filter(({ edits }) => edits.size > 0 && edits.size <= MOST_EDITS)
    .sort((a, b) => b.weight - a.weight)
    .map(({ edits }) => [...edits.values()].sort(moreSpecificFirst));
}

function byEdits(a: EditGroup, b: EditGroup): number {
  return b.edits.size - a.edits.size;
}

/** The edits between the keys of two patterns: once where all modules have the same, else for each module. */
function memberEdits({ from, to }: PatternPair): { readonly edits: readonly Edit[]; readonly weight: number }[] {
  const size = Math.min(from.paths.length, to.paths.length);
  const byNumbers = new Map(to.paths.map((path) => [numbersOf(path), path]));
  const sameNumbers = from.paths.every((path) => byNumbers.has(numbersOf(path)));
  const partner = (i: number) => sameNumbers ? byNumbers.get(numbersOf(from.paths[i])) ?? to.paths[i] : to.paths[i];
  const leaves = leafPairs(from.leaves, to.leaves);
  const at = (i: number) =>
    leaves.flatMap(([a, b]) =>
      editsBetween([...segmentsOf(from.paths[i]), a.name], [...segmentsOf(partner(i)), b.name])
    )
      .map(trimNumbers);
  const first = at(0);
  const last = at(size - 1);
  const namesOf = (edits: readonly Edit[]) => edits.map(editName).join("\n");
  if (namesOf(first) === namesOf(last)) return [{ edits: first, weight: size }];
  if (size > MOST_EDITS) return [];
  return Array.from({ length: size }, (_, i) => ({ edits: at(i), weight: 1 }));
}

function numbersOf(path: string): string {
  return path.match(/\d+/g)?.join() ?? "";
}

function segmentsOf(path: string): string[] {
  return path === "" ? [] : path.split(".");
}

function pathOf({ text }: ModulePattern): string {
  return text;
}

function reversedPathOf({ segments }: ModulePattern): string {
  return segments.toReversed().join(".");
}
