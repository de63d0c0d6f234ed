/**
 * What the plan suggests, as options of this command line.
 *
 * @module
 */

import type { Pattern, Suggestion } from "../../mod.ts";
import { quoteForShell, ruleFlag } from "./rename_rules.ts";

/** The options to add, or `null` where there are none that say it. */
export function suggestedFlags({ kind, rename, options }: Suggestion): string | null {
  const { stateDictPath = [], transform = [], mismatch = {}, strict = {} } = options;
  switch (kind) {
    case "rename":
      return joined(rename.map(ruleFlag));
    case "wrapper":
      return `--state-dict ${quoteForShell(stateDictPath.join("."))}`;
    case "transpose":
      return joined(transform.map(([glob]) => flag("--transpose", glob)));
    case "mismatch":
      return joined(Object.entries(mismatch).map(([glob, action]) => flag("--mismatch", `${glob}=${action}`)));
    case "allow": {
      const { allowMissing = [], allowUnexpected = [] } = typeof strict === "object" ? strict : {};
      return joined([
        ...allowMissing.map((glob) => flag("--allow-missing", glob)),
        ...allowUnexpected.map((glob) => flag("--allow-unexpected", glob)),
      ]);
    }
  }
}

/** An option with its value; a RegExp has no form here. */
function flag(name: string, value: Pattern): string | null {
  return typeof value === "string" ? `${name} ${quoteForShell(value)}` : null;
}

function joined(flags: readonly (string | null)[]): string | null {
  return flags.length === 0 || flags.includes(null) ? null : flags.join(" ");
}
