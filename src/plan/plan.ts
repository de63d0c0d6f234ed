/**
 * The one planner: what a load will do, decided from keys, shapes and dtypes alone.
 *
 * @module
 */

import { numelOf } from "../shape.ts";
import { isLossy } from "./cast.ts";
import { checkpointShare, coverageOf, modelShare } from "./coverage.ts";
import { initialisationsOf } from "./initialise.ts";
import { loadErrorText, missingLine, unexpectedLine } from "./message.ts";
import type { LoadOptions } from "./options.ts";
import { type PatternList, showPattern } from "./pattern.ts";
import { refusalsOf } from "./refusal.ts";
import { renameRows } from "./rename.ts";
import type { CheckpointRows, ModelRow, OutcomeData, PlanRows, Problem, Transfer } from "./rows.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { suggestionsOf } from "./suggest.ts";
import { missingKeys, tiedNames, tiesOf } from "./tied.ts";
import { walkModel } from "./walk.ts";

/**
 * Plans the load of `checkpoint` into `model` under `options`, PyTorch's `load_state_dict` with decisions in place of
 * copies. Reads no value and changes nothing; what stands in the way is an answer, not an exception.
 *
 * The time is proportional to the keys times their depth; suggestions, which are worked out when first asked for, take
 * n log n.
 *
 * @throws {TypeError} An option is unknown, has the wrong type, or contradicts another; a rename function or an
 * `upgradeStateDict` did what it must not.
 */
export function planRows(model: ModelRow, checkpoint: CheckpointRows, options?: LoadOptions): PlanRows {
  const settings = settingsOf(options);
  const { rows } = checkpoint;
  const modelKeys = () => new Set(keysOf(model));
  const { entries, metadata, journal, unused } = renameRows(checkpoint, { rename: settings.rename, modelKeys });
  const walk = walkModel(model, { entries, metadata, journal, settings });
  const ties = tiesOf(walk.names);
  const missing = missingKeys(walk, ties);
  const unexpected = walk.unexpected.map(({ key }) => key);
  const allowed = allowedOf(settings, { missing, unexpected });
  const initialisations = initialisationsOf(ties, settings.initMissing);
  const casts = castsOf(walk.transfers);
  const counts = { model: modelShare(ties), checkpoint: checkpointShare(rows, walk.transfers) };
  const coverage = { model: coverageOf(counts.model), checkpoint: coverageOf(counts.checkpoint) };
  const strictness = strictProblems(settings, { missing, unexpected, allowed });
  const facts = { walk, rows, missing, strictness, rename: settings.rename };
  const suggestions = once(() => suggestionsOf(facts));
  const shapes = once(() => ({
    model: new Map(walk.names.map(({ key, entry }) => [key, entry.shape])),
    checkpoint: new Map(entries.flatMap(({ key, row }) => row?.tensor ? [[key, row.tensor.shape] as const] : [])),
  }));
  const refusals = refusalsOf({ settings, journal, rows, names: walk.names, casts, coverage, suggestions });
  const problems = [...refusals, ...strictness, ...walk.errors];
  const torchLines = [...strictness, ...walk.errors.filter(({ kind }) => kind !== "unsupported")];
  return {
    missingKeys: missing,
    unexpectedKeys: unexpected,
    allowed,
    loaded: walk.names.filter(({ fate }) => fate === "taken").map(({ key }) => key),
    mismatched: walk.mismatched,
    partial: walk.transfers.flatMap(partialOf),
    renamed: journal.renamed(),
    casts,
    tied: tiedNames(ties),
    initialised: initialisations.map(({ key, by }) => ({ key, by })),
    coverage,
    ok: problems.length === 0,
    problems,
    errorText: loadErrorText(model.className, torchLines.map(({ message }) => message)),
    refusal: refusals.length === 0 ? null : { reason: refusals[0].kind, message: refusals[0].message },
    counts,
    get shapes() {
      return shapes();
    },
    transfers: walk.transfers,
    initialisations,
    dropped: journal.dropped(),
    passedOver: walk.passedOver.map(({ key }) => key),
    unusedRules: [
      ...unused.map((rule) => ({ option: "rename" as const, rule })),
      ...unusedPatterns("transform", settings.transpose),
      ...unusedPatterns("mismatch", settings.mismatchPatterns),
    ],
    get suggestions() {
      return suggestions();
    },
  };
}

/** The keys of a model's state dict, without extra state, in order. */
function* keysOf(module: ModelRow, prefix = ""): Generator<string> {
  for (const { name } of module.entries) yield prefix + name;
  for (const child of module.children) {
    if (child.module !== null) yield* keysOf(child.module, `${prefix}${child.name}.`);
  }
}

/** PyTorch's two lists. */
interface KeyLists {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

function allowedOf(settings: Settings, { missing, unexpected }: KeyLists): OutcomeData["allowed"] {
  const { allowMissing, allowUnexpected } = settings;
  return {
    missing: missing.filter((key) => allowMissing.matches(key)),
    unexpected: unexpected.filter((key) => allowUnexpected.matches(key)),
    unusedPatterns: [...allowMissing.unused(), ...allowUnexpected.unused()],
  };
}

/** What PyTorch puts at the head of its error under `strict`, without what was allowed. */
function strictProblems(
  settings: Settings,
  { missing, unexpected, allowed }: KeyLists & { readonly allowed: KeyLists },
): Problem[] {
  if (!settings.strict) return [];
  const lacking = without(missing, allowed.missing);
  const strange = without(unexpected, allowed.unexpected);
  const problems: Problem[] = [];
  if (lacking.length > 0) problems.push({ kind: "missing", message: missingLine(lacking), keys: lacking });
  if (strange.length > 0) problems.push({ kind: "unexpected", message: unexpectedLine(strange), keys: strange });
  return problems;
}

function without(keys: readonly string[], taken: readonly string[]): readonly string[] {
  if (taken.length === 0) return keys;
  const gone = new Set(taken);
  return keys.filter((key) => !gone.has(key));
}

function castsOf(transfers: readonly Transfer[]): OutcomeData["casts"] {
  return transfers.flatMap((transfer) => {
    if (transfer.action === "keep" || transfer.action === "extra-state") return [];
    const { key, from: { dtype: from }, to: { dtype: to } } = transfer;
    return from === to ? [] : [{ key, from, to, lossy: isLossy(from, to) }];
  });
}

function partialOf(transfer: Transfer): OutcomeData["partial"] {
  if (transfer.action !== "overlap") return [];
  const { key, region, to } = transfer;
  const elements = numelOf(region);
  const of = numelOf(to.shape);
  // A model smaller than the checkpoint in every dimension is filled whole.
  return elements === of ? [] : [{ key, elements, of }];
}

function unusedPatterns<Name extends string>(
  option: Name,
  patterns: PatternList,
): { readonly option: Name; readonly rule: string }[] {
  return patterns.unused().map((pattern) => ({ option, rule: showPattern(pattern) }));
}

function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | null = null;
  return () => {
    done ??= { value: work() };
    return done.value;
  };
}
