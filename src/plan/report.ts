/**
 * What a load did.
 *
 * @module
 */

import { LoadOutcome } from "./outcome_record.ts";
import type { PlanRows } from "./rows.ts";

/**
 * What a load did: the lists of PyTorch's result and everything it does not say. Printing it shows a report.
 *
 * @example
 * ```ts
 * import { Linear, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const model = new Sequential(new Linear(2, 2));
 * const report = model.loadStateDict(model.stateDict());
 * assertEquals(report.coverage.model, { tensors: 1, elements: 1 });
 * ```
 */
export class LoadReport extends LoadOutcome {
  /** The report of a plan that was carried out. */
  constructor(plan: PlanRows) {
    super(plan, "done");
  }
}
