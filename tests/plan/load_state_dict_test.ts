/**
 * The planner against PyTorch itself: every case of `fixtures/load_state_dict` was run by the real `load_state_dict`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { planRows } from "../../src/plan/plan.ts";
import { checkpointOf, type FixtureCase, type FixtureModel, modelOf } from "./fixture_rows.ts";

const GROUPS = ["extra_state", "keys", "norm", "random", "tree", "values"] as const;

/** One file of cases. */
interface FixtureFile {
  readonly torch: string;
  readonly models: readonly FixtureModel[];
  readonly cases: readonly FixtureCase[];
}

for (const group of GROUPS) {
  const url = new URL(`../fixtures/load_state_dict/${group}.json`, import.meta.url);
  const file: FixtureFile = JSON.parse(Deno.readTextFileSync(url));
  for (const fixture of file.cases) {
    Deno.test(`planRows() says what PyTorch says: ${group}: ${fixture.name}`, () => {
      const model = modelOf(file.models[fixture.model]);
      const checkpoint = checkpointOf(fixture);
      for (const strict of [true, false]) {
        const plan = planRows(model, checkpoint, { ...fixture.options, strict, allowNoMatch: true });
        const { lenient = fixture.strict } = fixture;
        assertEquals(plan.missingKeys, fixture.missing);
        assertEquals(plan.unexpectedKeys, fixture.unexpected);
        assertEquals(plan.errorText, strict ? fixture.strict : lenient);
        assertEquals(plan.ok, plan.errorText === null);
        assertEquals(plan.refusal, null);
      }
      const matched = fixture.lenientRepr === "<All keys matched successfully>";
      assertEquals(
        matched,
        fixture.lenientRepr !== undefined && fixture.missing.length + fixture.unexpected.length === 0,
      );
    });
  }
}
