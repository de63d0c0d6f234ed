/**
 * Guesses at rename rules: which rules turn keys that the model does not have into keys that it misses.
 *
 * Two ways lead to a guess. A prefix that is there or absent everywhere is found by looking keys up without their
 * leading segments. For the rest, modules are paired by name and shape, and what differs between their keys is a rule.
 *
 * @module
 */

import { sameShape } from "../shape.ts";
import { type Edit, escaped, plainRuleOf, ruleOf } from "./edit.ts";
import { guessEdits, type LonelyKey } from "./module_pairs.ts";
import type { RenameRule } from "./options.ts";
import { renamer } from "./rename.ts";

/** Rules, and the keys that they bring together. */
export interface RenameGuess {
  /** In the order to be applied. */
  readonly rules: readonly RenameRule[];
  /** Checkpoint key and model key of each pair that was not one before. */
  readonly pairs: readonly { readonly from: string; readonly to: string }[];
}

/** Leading segments that a prefix may have. */
const PREFIX_SEGMENTS = 4;
/** Keys of one pattern that a rule is tried on before it is tried on all. */
const SAMPLES = 2;
/** The least part of the keys which rules change that they must bring together. */
const LEAST_PRECISION = 0.5;
/** Guesses that are worked out, the strongest first. */
const MOST_GUESSES = 6;

/** What guesses are made from and tried on. */
interface GuessFacts {
  /** Checkpoint keys that the model does not have. */
  readonly strangers: readonly LonelyKey[];
  /** Model keys that the checkpoint does not have. */
  readonly missing: readonly LonelyKey[];
  /** Checkpoint keys that already match: a rule must leave them alone. */
  readonly matched: readonly string[];
}

/**
 * The guesses, the one that helps most keys first; each stands by itself. Where they can be applied together there is
 * one guess of all their rules: what a reader can paste.
 */
export function guessRenames(facts: GuessFacts): RenameGuess[] {
  const guesses: RenameGuess[] = [];
  let left = facts;
  for (const side of ["strip", "add", "strip"] as const) {
    const guess = bestPrefix(left, side);
    if (guess === null) continue;
    guesses.push(guess);
    left = without(left, guess);
  }
  // What a prefix was stripped from may have changed its name as well.
  const base = guesses.flatMap(({ rules }) => rules);
  const strip = renamer(base);
  const origins = new Map(left.strangers.map(({ key }) => [strip(key) ?? key, key]));
  const inner = { ...left, strangers: left.strangers.map(({ key, shape }) => ({ key: strip(key) ?? key, shape })) };
  for (const edits of guessEdits(inner.strangers, inner.missing).slice(0, MOST_GUESSES)) {
    const guess = tryEdits(inner, edits);
    if (guess === null) continue;
    const pairs = guess.pairs.map(({ from, to }) => ({ from: origins.get(from) ?? from, to }));
    const wantsPrefix = pairs.some(({ from }) => strip(from) !== from);
    guesses.push({ rules: wantsPrefix ? [...base, ...guess.rules] : guess.rules, pairs });
  }
  return together(facts, guesses.sort((a, b) => b.pairs.length - a.pairs.length));
}

function together(facts: GuessFacts, guesses: RenameGuess[]): RenameGuess[] {
  if (guesses.length < 2) return guesses;
  // Prefixes first: the other rules were found behind them.
  const rules = new Set(guesses.toSorted((a, b) => a.rules.length - b.rules.length).flatMap((guess) => guess.rules));
  const all = tryRules(facts, [...rules]);
  const apart = guesses.reduce((sum, { pairs }) => sum + pairs.length, 0);
  return all !== null && all.pairs.length >= apart ? [all] : guesses;
}

function without({ strangers, missing, matched }: GuessFacts, { pairs }: RenameGuess): GuessFacts {
  const from = new Set(pairs.map((pair) => pair.from));
  const to = new Set(pairs.map((pair) => pair.to));
  return {
    strangers: strangers.filter(({ key }) => !from.has(key)),
    missing: missing.filter(({ key }) => !to.has(key)),
    matched,
  };
}

/** The prefix whose removal, or addition, brings most keys together. */
function bestPrefix(facts: GuessFacts, side: "strip" | "add"): RenameGuess | null {
  if (facts.strangers.length === 0 || facts.missing.length === 0) return null;
  const [longer, shorter] = side === "strip" ? [facts.strangers, facts.missing] : [facts.missing, facts.strangers];
  const there = new Map(shorter.map(({ key, shape }) => [key, shape]));
  const heads = new Set(shorter.map(({ key }) => headOf(key, 0)));
  const votes = new Map<string, number>();
  for (const { key, shape } of longer) {
    let dot = key.indexOf(".");
    for (let i = 0; i < PREFIX_SEGMENTS && dot >= 0; i++, dot = key.indexOf(".", dot + 1)) {
      // The first segment is quickly looked up, and mostly decides.
      if (!heads.has(headOf(key, dot + 1))) continue;
      const found = there.get(key.slice(dot + 1));
      // A bare "weight" is too common a name to go by, whatever it belongs to.
      const good = found !== undefined && (sameShape(found, shape) || key.includes(".", dot + 1));
      if (good) votes.set(key.slice(0, dot + 1), (votes.get(key.slice(0, dot + 1)) ?? 0) + 1);
    }
  }
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  if (best === undefined) return null;
  const [prefix] = best;
  // Names that agree behind a prefix are evidence enough: what else it is in front of may have changed its name.
  const any = { leastPrecision: 0 };
  if (side === "strip") return tryRules(facts, [{ strip: prefix }], any);
  return tryRules(facts, [{ add: prefix }], any) ?? tryRules(facts, [addBelow(facts, prefix)], any);
}

function headOf(key: string, start: number): string {
  const dot = key.indexOf(".", start);
  return dot < 0 ? key.slice(start) : key.slice(start, dot);
}

/** `add` for some keys only: those below the first segments that want the prefix. */
function addBelow({ strangers, missing }: GuessFacts, prefix: string): RenameRule {
  const there = new Set(missing.map(({ key }) => key));
  const heads = new Set(strangers.filter(({ key }) => there.has(prefix + key)).map(({ key }) => key.split(".")[0]));
  const either = [...heads].map(escaped).join("|");
  return { replace: new RegExp(`^(?=(?:${either})(?:\\.|$))`), with: prefix.replaceAll("$", "$$$$") };
}

/**
 * The rules on every key: what they bring together, or `null` where they help too few of the keys that they change, make
 * too many match in name and not in shape, or touch what already matches.
 */
function tryRules(
  { strangers, missing, matched }: GuessFacts,
  rules: readonly RenameRule[],
  { leastPrecision = LEAST_PRECISION }: { readonly leastPrecision?: number } = {},
): RenameGuess | null {
  const rename = renamer(rules);
  if (matched.some((key) => rename(key) !== key)) return null;
  const wanted = new Map(missing.map(({ key, shape }) => [key, shape]));
  const pairs: { from: string; to: string }[] = [];
  let changed = 0;
  let misfits = 0;
  for (const { key, shape } of strangers) {
    const to = rename(key);
    if (to === null || to === key) continue;
    changed++;
    const target = wanted.get(to);
    if (target === undefined) continue;
    wanted.delete(to);
    pairs.push({ from: key, to });
    if (!sameShape(target, shape)) misfits++;
  }
  const isRule = pairs.length > 0 && pairs.length >= changed * leastPrecision &&
    misfits <= pairs.length * LEAST_PRECISION;
  return isRule ? { rules, pairs } : null;
}

/** The edits as rules: the plainest that help, on a sample of the keys, no fewer than exact ones do. */
function tryEdits(facts: GuessFacts, edits: readonly Edit[]): RenameGuess | null {
  const sample = {
    ...facts,
    strangers: sampleOf(facts.strangers),
    matched: sampleOf(facts.matched.map(keyOnly)).map(({ key }) => key),
  };
  const exact = edits.map(ruleOf);
  let best = tryRules(sample, exact);
  if (best === null) return null;
  for (let i = 0; i < edits.length; i++) {
    const plain = plainRuleOf(edits[i]);
    const guess: RenameGuess | null = plain === null ? null : tryRules(sample, best.rules.with(i, plain));
    if (guess !== null && guess.pairs.length >= best.pairs.length) best = guess;
  }
  return tryRules(facts, best.rules) ?? tryRules(facts, exact);
}

/** A few keys of every pattern. */
function sampleOf(keys: readonly LonelyKey[]): LonelyKey[] {
  const seen = new Map<string, number>();
  return keys.filter(({ key }) => {
    const pattern = key.replaceAll(/\d+/g, "#");
    const count = (seen.get(pattern) ?? 0) + 1;
    seen.set(pattern, count);
    return count <= SAMPLES;
  });
}

function keyOnly(key: string): LonelyKey {
  return { key, shape: [] };
}
