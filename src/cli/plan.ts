/**
 * `graft plan`: what a load would do.
 *
 * @module
 */

import { init, type LoadOptions, type LoadPlan, type MissingInitialiser, openCheckpoint, planLoad } from "../../mod.ts";
import type { CastPolicy, MismatchAction, Pattern, Tensor } from "../../mod.ts";
import { type Call, type Command, DONE, REFUSED, STATE_DICT, UsageError } from "./command.ts";
import { loadModel } from "./model_file.ts";
import { RENAME_OPTIONS, renameRules } from "./rename_rules.ts";
import { didYouMean, oneOf } from "./spelling.ts";
import { chosenPath } from "./state_dict_path.ts";
import { suggestedFlags } from "./suggested_flags.ts";
import type { Terminal } from "./terminal.ts";

const ACTIONS: readonly MismatchAction[] = ["error", "skip", "overlap"];
const CASTS: readonly CastPolicy[] = ["allow", "widen", "error"];

/** `--rename auto` is the one value of that option that is no rule. */
const AUTO = "auto";

/** Plans a load. */
export const plan: Command = {
  name: "plan",
  summary: "what loading a checkpoint into a model would do, and what would help; reads no values, changes nothing",
  files: ["FILE"],
  options: [
    {
      name: "model",
      value: "MODEL.ts",
      required: true,
      help: "whose default export is a Module class, a Module, or a function that makes one; its code runs",
    },
    { name: "strict", negatable: true, help: "whether keys must be the same on both sides; --strict by default" },
    { name: "allow-missing", value: "GLOB", many: true, help: "keys of the model that the file need not have" },
    { name: "allow-unexpected", value: "GLOB", many: true, help: "keys of the file that the model need not have" },
    {
      name: "mismatch",
      value: "[GLOB=]ACTION",
      many: true,
      help: "other shapes: error, skip (the model keeps its own) or overlap (copy the common region); the first " +
        "GLOB that matches decides",
    },
    ...RENAME_OPTIONS.map((option) =>
      option.name === "rename"
        ? { ...option, help: `${option.help}; or auto: take out wrappers where that makes keys match` }
        : option
    ),
    { name: "transpose", value: "GLOB", many: true, help: "weights that the file stores the other way round" },
    { name: "cast", value: "POLICY", help: "other dtypes: allow (default), widen (keep every value) or error" },
    { name: "assign", help: "take the dtypes of the file" },
    { name: "min-coverage", value: "FRACTION", help: "refuse where less of the model would be loaded: 0.9" },
    { name: "allow-no-match", help: "let a load pass in which no key matches" },
    { name: "init-missing", value: "NAME", help: "what fills missing parameters: xavierUniform_, zeros_, …" },
    STATE_DICT,
  ],
  example: `graft plan model.pt --model model.ts --allow-missing "head.*"`,
  needs: (call) => ({ read: [...call.files, ...call.texts("model")], write: [] }),
  run,
};

async function run(call: Call, terminal: Terminal): Promise<number> {
  const modelPath = call.text("model") ?? "";
  const options = loadOptions(call);
  const checkpoint = await openCheckpoint(call.files[0]);
  try {
    const stateDict = checkpoint.stateDict(await chosenPath(checkpoint, call.text("state-dict")));
    const model = await loadModel(modelPath);
    const planned = planLoad(model, stateDict, options);
    terminal.print(call.json ? JSON.stringify(jsonOf(planned), null, 2) : textOf(planned, terminal));
    return planned.ok ? DONE : REFUSED;
  } finally {
    await checkpoint.close();
  }
}

function textOf(planned: LoadPlan, terminal: Terminal): string {
  const text = planned.text(terminal);
  if (planned.ok) return text;
  const flags = planned.suggestions.flatMap((suggestion) => suggestedFlags(suggestion) ?? []);
  if (flags.length === 0) return text;
  const title = flags.length === 1 ? "To try it here, add" : "To try them here, add one or more of";
  return [text, "", title, ...flags.map((flag) => `  ${flag}`)].join("\n");
}

function jsonOf(planned: LoadPlan): Record<string, unknown> {
  const suggestions = planned.suggestions.map((suggestion) => {
    const { kind, message, option, keys } = suggestion;
    return { kind, message, option, flags: suggestedFlags(suggestion), keys };
  });
  return { ...planned.toJSON(), suggestions };
}

function loadOptions(call: Call): LoadOptions<Tensor> {
  const initMissing = initialiserOf(call.text("init-missing"));
  return {
    strict: strictnessOf(call),
    mismatch: call.texts("mismatch").map(mismatchRule),
    rename: isAuto(call) ? AUTO : renameRules(call),
    transform: call.texts("transpose").map((glob) => [glob, "transpose"]),
    cast: choice<CastPolicy>(call, { name: "cast", allowed: CASTS, otherwise: "allow" }),
    assign: call.has("assign"),
    minCoverage: fractionOf(call.text("min-coverage")),
    allowNoMatch: call.has("allow-no-match"),
    ...(initMissing === undefined ? {} : { initMissing }),
  };
}

function strictnessOf(call: Call): LoadOptions["strict"] {
  const [allowMissing, allowUnexpected] = [call.texts("allow-missing"), call.texts("allow-unexpected")];
  if (allowMissing.length + allowUnexpected.length === 0) return call.has("strict");
  if (!call.has("strict")) {
    throw new UsageError("--no-strict allows every key: it has no meaning beside --allow-missing, --allow-unexpected");
  }
  return { allowMissing, allowUnexpected };
}

/** `skip` for every key, `*.bias=overlap` for some. */
function mismatchRule(text: string): readonly [Pattern, MismatchAction] {
  const cut = text.lastIndexOf("=");
  const word = text.slice(cut + 1);
  const action = oneOf(word, ACTIONS);
  if (action !== undefined && cut !== 0) return [cut < 0 ? "*" : text.slice(0, cut), action];
  const hint = action === undefined ? didYouMean(word, ACTIONS) : "";
  throw new UsageError(`--mismatch needs error, skip or overlap, or GLOB=ACTION, got "${text}"${hint}`);
}

function isAuto(call: Call): boolean {
  if (!call.texts("rename").includes(AUTO)) return false;
  if (call.ordered(RENAME_OPTIONS.map(({ name }) => name)).length > 1) {
    throw new UsageError("--rename auto stands alone: it has no meaning beside other rules");
  }
  return true;
}

function choice<T extends string>(
  call: Call,
  { name, allowed, otherwise }: { readonly name: string; readonly allowed: readonly T[]; readonly otherwise: T },
): T {
  const text = call.text(name);
  if (text === undefined) return otherwise;
  const chosen = oneOf(text, allowed);
  if (chosen !== undefined) return chosen;
  throw new UsageError(`--${name} needs ${allowed.join(", ")}, got "${text}"${didYouMean(text, allowed)}`);
}

function fractionOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const percent = text.endsWith("%");
  const fraction = Number(percent ? text.slice(0, -1) : text) / (percent ? 100 : 1);
  if (text.trim() !== "" && fraction >= 0 && fraction <= 1) return fraction;
  throw new UsageError(`--min-coverage needs a fraction from 0 to 1, got "${text}": 0.9, or 90%`);
}

function initialiserOf(name: string | undefined): MissingInitialiser<Tensor> | undefined {
  if (name === undefined) return undefined;
  const initialisers = new Map<string, MissingInitialiser<Tensor>>(
    Object.entries(init).flatMap(([own, value]) => takesOneTensor(own, value) ? [[own, value] as const] : []),
  );
  const found = initialisers.get(name) ?? initialisers.get(`${name}_`);
  if (found !== undefined) return found;
  const names = [...initialisers.keys()];
  const hint = didYouMean(name, names) || `; there are ${names.join(", ")}`;
  throw new UsageError(`Unknown initialiser "${name}"${hint}`);
}

/** Whether something in `init` fills a tensor and needs nothing else. */
function takesOneTensor(name: string, value: unknown): value is MissingInitialiser<Tensor> {
  return typeof value === "function" && name.endsWith("_") && value.length === 1;
}
