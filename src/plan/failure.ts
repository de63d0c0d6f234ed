/**
 * The error that a plan which may not start is refused with.
 *
 * @module
 */

import { LoadRefusedError, LoadStateDictError, UnsupportedError } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import type { PlanRows } from "./rows.ts";

/**
 * What to throw in place of starting the load, or `null` where it may start. PyTorch's own error goes first, so that
 * its text is the same under the same `strict`; then Graft's refusals; then what cannot be read.
 *
 * @param plan The plan.
 * @param outcome The same for the caller: it becomes the error's `plan`.
 */
export function planError(
  plan: Pick<PlanRows, "errorText" | "refusal" | "problems">,
  outcome: Outcome,
): LoadStateDictError | LoadRefusedError | UnsupportedError | null {
  if (plan.errorText !== null) return new LoadStateDictError(plan.errorText, outcome);
  if (plan.refusal !== null) return new LoadRefusedError(plan.refusal.message, plan.refusal.reason, outcome);
  const [problem] = plan.problems;
  return problem === undefined ? null : new UnsupportedError(problem.message, "dtype");
}
