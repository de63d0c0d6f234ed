/**
 * Did you mean: guesses at the option that would make a load succeed. None is ever applied by itself.
 *
 * @module
 */

import { sameShape, type Shape } from "../shape.ts";
import { showCount, showNumber } from "./amount.ts";
import { foldedGlob } from "./fold.ts";
import type { KeyEntry } from "./keys.ts";
import { guessRenames, type RenameGuess } from "./rename_guess.ts";
import { renamer, ruleSource } from "./rename.ts";
import type { CheckpointRow, Problem, Suggestion } from "./rows.ts";
import type { RenameRule } from "./options.ts";
import type { Walk } from "./walk.ts";

/** Patterns in an option before it is cut: a reader can still check them. */
const MOST_PATTERNS = 6;

/** What a checkpoint is wrapped in, by Python type. */
const DICTIONARIES: readonly string[] = ["dict", "collections.OrderedDict", "OrderedDict", "collections.defaultdict"];
/** What training scripts call the state dict in a larger dictionary, the most common first. */
const STATE_DICT_NAMES: readonly string[] = ["state_dict", "model_state_dict", "model", "net", "module", "ema"];

/** What the guesses are made from. */
export interface SuggestionFacts {
  /** What the walk found. */
  readonly walk: Walk;
  /** The checkpoint as it is. */
  readonly rows: readonly CheckpointRow[];
  /** Missing keys, without the tied ones. */
  readonly missing: readonly string[];
  /** What `strict` makes an error of. */
  readonly strictness: readonly Problem[];
  /** The rename rules that are already given. */
  readonly rename: readonly RenameRule[] | "auto";
}

/** The guesses, the most helpful first. */
export function suggestionsOf(facts: SuggestionFacts): readonly Suggestion[] {
  const guesses = renames(facts);
  return [...wrappers(facts), ...guesses, ...transposes(facts), ...mismatches(facts), ...allowances(facts, guesses)];
}

/** A state dict inside the dictionary that was taken for one. */
function wrappers({ rows }: SuggestionFacts): Suggestion[] {
  if (rows.some(({ tensor }) => tensor !== null)) return [];
  const rank = (key: string) =>
    STATE_DICT_NAMES.includes(key) ? STATE_DICT_NAMES.indexOf(key) : STATE_DICT_NAMES.length;
  const dictionaries = rows.filter(({ typeName }) => DICTIONARIES.includes(typeName)).map(({ key }) => key)
    .sort((a, b) => rank(a) - rank(b));
  return dictionaries.slice(0, 1).map((key) => ({
    kind: "wrapper",
    message: `its "${key}" is a dictionary, which is probably the state dict`,
    option: `stateDictPath: [${JSON.stringify(key)}]`,
    options: { stateDictPath: [key] },
    rename: [],
    keys: [],
  }));
}

function renames({ walk, missing, rename }: SuggestionFacts): Suggestion[] {
  if (missing.length === 0 || walk.unexpected.length === 0) return [];
  const shapes = new Map(walk.names.map(({ key, entry }) => [key, entry.shape]));
  const lacking = missing.flatMap((key) => lonely(key, shapes.get(key)));
  const strangers = walk.unexpected.flatMap(({ key, row }) => lonely(key, row?.tensor?.shape));
  const gone = new Set(walk.unexpected.map(({ key }) => key));
  const matched = walk.names.filter(({ fate }) => fate !== "absent" && fate !== "kept").map(({ key }) => key)
    .filter((key) => !gone.has(key));
  const before = rename === "auto" ? [] : rename;
  return guessRenames({ strangers, missing: lacking, matched }).map((guess) => ({
    kind: "rename",
    message: renameMessage(guess, { shapes, unexpected: walk.unexpected }),
    option: `rename: [${[...before, ...guess.rules].map(ruleSource).join(", ")}]`,
    options: { rename: [...before, ...guess.rules] },
    rename: guess.rules,
    keys: guess.pairs,
  }));
}

function lonely(key: string, shape: Shape | undefined): { readonly key: string; readonly shape: Shape }[] {
  return shape === undefined ? [] : [{ key, shape }];
}

function renameMessage(
  { pairs }: RenameGuess,
  { shapes, unexpected }: { readonly shapes: ReadonlyMap<string, Shape>; readonly unexpected: readonly KeyEntry[] },
): string {
  const found = new Map(unexpected.map(({ key, row }) => [key, row?.tensor?.shape]));
  const odd = pairs.filter((pair) => !sameShape(shapes.get(pair.to) ?? [], found.get(pair.from) ?? []));
  const keys = showCount(pairs.length, "key");
  const shapeNote = odd.length === 0
    ? `${pairs.length === 1 ? "" : "all "}of the right shape`
    : `${showNumber(odd.length)} of another shape`;
  const steps = [0, Math.floor(pairs.length / 2), pairs.length - 1].slice(0, pairs.length);
  const examples = [...new Set(steps)].map((i) => `"${pairs[i].from}" is probably "${pairs[i].to}"`);
  return `${keys} would match, ${shapeNote}: ${examples.join(", ")}`;
}

/** Shapes that are the wanted ones the other way round. */
function transposes({ walk }: SuggestionFacts): Suggestion[] {
  const turned = walk.mismatched.filter(({ checkpointShape: [a, b, ...rest], modelShape }) =>
    rest.length === 0 && b !== undefined && sameShape([b, a], modelShape)
  ).map(({ key }) => key);
  if (turned.length === 0) return [];
  const rules = globsOf(turned).map((glob) => [glob, "transpose"] as const);
  const keys = turned.length === 1 ? `"${turned[0]}" has` : `${showNumber(turned.length)} weights have`;
  return [{
    kind: "transpose",
    message: `${keys} the wanted shape the other way round; square weights beside them may be turned as well, ` +
      "which no shape tells",
    option: `transform: [${rules.map(([glob]) => `[${JSON.stringify(glob)}, "transpose"]`).join(", ")}]`,
    options: { transform: rules },
    rename: [],
    keys: turned.map((key) => ({ from: key, to: key })),
  }];
}

/** Other shapes that are no transposition: what may be done about them. */
function mismatches({ walk }: SuggestionFacts): Suggestion[] {
  const wrong = walk.mismatched.filter(({ action, checkpointShape: [a, b, ...rest], modelShape }) =>
    action === "error" && !(rest.length === 0 && b !== undefined && sameShape([b, a], modelShape))
  ).map(({ key }) => key);
  if (wrong.length === 0) return [];
  const globs = globsOf(wrong);
  return [{
    kind: "mismatch",
    message:
      `keeps the model's own values where the shape differs; "overlap" in place of "skip" copies the common region`,
    option: `mismatch: { ${globs.map((glob) => `${JSON.stringify(glob)}: "skip"`).join(", ")} }`,
    options: { mismatch: Object.fromEntries(globs.map((glob) => [glob, "skip"])) },
    rename: [],
    keys: wrong.map((key) => ({ from: key, to: key })),
  }];
}

/**
 * Keys that `strict` makes an error of and no rename explains: they may be meant, unless nothing else is left of either
 * side. A key is called what the renames would make of it, as `strict` will see it.
 */
function allowances({ walk, strictness }: SuggestionFacts, guesses: readonly Suggestion[]): Suggestion[] {
  const isStranger = guesses.length === 0 && walk.names.every(({ fate }) => fate === "absent" || fate === "kept");
  if (strictness.length === 0 || isStranger) return [];
  const renamed = renamer(guesses.flatMap(({ rename }) => rename));
  const explained = {
    missing: new Set(guesses.flatMap(({ keys }) => keys.map(({ to }) => to))),
    unexpected: new Set(guesses.flatMap(({ keys }) => keys.map(({ from }) => from))),
  };
  const left = (kind: "missing" | "unexpected") =>
    strictness.filter((problem) => problem.kind === kind).flatMap(({ keys }) => keys)
      .filter((key) => !explained[kind].has(key));
  const missing = left("missing");
  const unexpected = left("unexpected").flatMap((key) => renamed(key) ?? []);
  const present = walk.names.filter(({ fate }) => fate !== "absent").map(({ key }) => key);
  const parts = [
    ["allowMissing", commonGlobs(missing, present)] as const,
    ["allowUnexpected", commonGlobs(unexpected, present)] as const,
  ].filter(([, globs]) => globs.length > 0);
  if (parts.length === 0) return [];
  const lists = parts.map(([name, globs]) => `${name}: [${globs.map((glob) => JSON.stringify(glob)).join(", ")}]`);
  return [{
    kind: "allow",
    message: "if that is meant: stays strict about everything else",
    option: `strict: { ${lists.join(", ")} }`,
    options: { strict: Object.fromEntries(parts) },
    rename: [],
    keys: [...missing.map((to) => ({ from: "", to })), ...unexpected.map((from) => ({ from, to: "" }))],
  }];
}

function globsOf(keys: readonly string[]): string[] {
  const globs = [...new Set(keys.map(foldedGlob))];
  return globs.length <= MOST_PATTERNS ? globs : ["*"];
}

/** As few globs as cover the keys and none of `others`: whole modules, where all below them is meant. */
function commonGlobs(keys: readonly string[], others: readonly string[]): string[] {
  const taken = new Set(others.flatMap(ancestors));
  const globs = new Set(keys.map((key) => {
    const free = ancestors(key).find((path) => !taken.has(path));
    return free === undefined ? key : `${free}.*`;
  }));
  if (globs.size <= MOST_PATTERNS) return [...globs];
  const folded = new Set([...globs].map(foldedGlob));
  return folded.size <= MOST_PATTERNS ? [...folded] : ["*"];
}

/** The paths of the modules above a key, the outermost first. */
function ancestors(key: string): string[] {
  const paths: string[] = [];
  for (let dot = key.indexOf("."); dot >= 0; dot = key.indexOf(".", dot + 1)) paths.push(key.slice(0, dot));
  return paths;
}
