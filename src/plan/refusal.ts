/**
 * Loads that PyTorch would let pass and Graft refuses, each with the option that permits it.
 *
 * @module
 */

import { showNumber } from "./amount.ts";
import type { LoadRefusal, Outcome } from "../outcome.ts";
import type { KeyJournal } from "./keys.ts";
import type { CheckpointRow, Problem, Suggestion } from "./rows.ts";
import type { Settings } from "./settings.ts";
import type { WalkedName } from "./walk.ts";

/** How many keys a message names before it counts the rest. */
const NAMED_KEYS = 3;

/** A {@linkcode Problem} that is one of Graft's refusals. */
export interface Refusal extends Problem {
  readonly kind: LoadRefusal;
}

/** What the refusals are judged by. */
export interface RefusalFacts {
  readonly settings: Settings;
  readonly journal: KeyJournal;
  readonly rows: readonly CheckpointRow[];
  readonly names: readonly WalkedName[];
  readonly casts: Outcome["casts"];
  readonly coverage: Outcome["coverage"];
  /** Asked only where no key matches. */
  readonly suggestions: () => readonly Suggestion[];
}

/** Every refusal that applies, the most fundamental first: the first is the one to throw. */
export function refusalsOf(facts: RefusalFacts): Refusal[] {
  return [...collisions(facts), ...noMatch(facts), ...forbiddenCasts(facts), ...lowCoverage(facts)];
}

/** Keys for a message: the first few, quoted, and how many more. */
export function someKeys(keys: readonly string[]): string {
  const named = keys.slice(0, NAMED_KEYS).map((key) => `"${key}"`).join(", ");
  return keys.length > NAMED_KEYS ? `${named} and ${showNumber(keys.length - NAMED_KEYS)} more` : named;
}

function collisions({ journal }: RefusalFacts): Refusal[] {
  return journal.collisions().map(({ to, from }) => ({
    kind: "collision",
    message: `Refused to load: keys ${someKeys(from)} of the checkpoint are all called "${to}" after the renames; ` +
      "drop all but one of them",
    keys: from,
  }));
}

function noMatch(facts: RefusalFacts): Refusal[] {
  const { settings, rows, names } = facts;
  if (settings.allowNoMatch || rows.length === 0 || names.length === 0) return [];
  if (names.some(({ fate }) => fate !== "absent" && fate !== "kept")) return [];
  const message = `Refused to load: none of the checkpoint's ${showNumber(rows.length)} keys ` +
    `(${someKeys(rows.map(({ key }) => key))}) is one of the model's ${showNumber(names.length)} ` +
    `(${someKeys(names.map(({ key }) => key))}): ${likelyReason(facts)}; allowNoMatch: true lets it pass`;
  return [{ kind: "no-match", message, keys: [] }];
}

function likelyReason({ rows, suggestions }: RefusalFacts): string {
  const [best] = suggestions();
  if (best?.kind === "rename") return `${showNumber(best.keys.length)} would with ${best.option}`;
  if (best !== undefined) return `${best.message}, try ${best.option}`;
  if (rows.every(({ tensor }) => tensor === null)) return "it holds no tensor, so it is probably not a state dict";
  return "it is probably of another architecture";
}

function forbiddenCasts({ settings, casts }: RefusalFacts): Refusal[] {
  if (settings.cast === "allow") return [];
  const bad = settings.cast === "error" ? casts : casts.filter(({ lossy }) => lossy);
  if (bad.length === 0) return [];
  const keys = bad.map(({ key }) => key);
  const [{ from, to }] = bad;
  const why = settings.cast === "error"
    ? `cast: "error" permits none, cast: "allow" permits all`
    : `cast: "widen" permits only casts that keep every value, cast: "allow" permits all`;
  return [{ kind: "cast", message: `Refused to cast ${someKeys(keys)} (from ${from} to ${to}): ${why}`, keys }];
}

function lowCoverage({ settings, coverage }: RefusalFacts): Refusal[] {
  const { elements } = coverage.model;
  if (elements >= settings.minCoverage) return [];
  const message = `Refused to load: ${percent(elements)} of the model's elements would be loaded, ` +
    `minCoverage asks for ${percent(settings.minCoverage)}`;
  return [{ kind: "coverage", message, keys: [] }];
}

/** As many digits as tell the two numbers of a refusal apart in practice. */
function percent(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(6))} %`;
}
