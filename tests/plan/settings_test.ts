import { assertEquals, assertThrows } from "@std/assert";
import type { LoadOptions } from "../../src/plan/options.ts";
import { settingsOf } from "../../src/plan/settings.ts";

/** Options as plain JavaScript passes them: whatever it is. */
function settingsOfAnything(options: unknown): unknown {
  return Reflect.apply(settingsOf, null, [options]);
}

const MISUSES: readonly (readonly [options: unknown, message: string])[] = [
  [false, "Options must be an object, got false: write { strict: false }"],
  [null, "Options must be an object, got null"],
  [[], "Options must be an object, got an array"],
  [{ Strict: true }, `Unknown option "Strict": did you mean "strict"?`],
  [{ init_missing: () => {} }, `Unknown option "init_missing": did you mean "initMissing"?`],
  [{ mismtach: "skip" }, `Unknown option "mismtach": did you mean "mismatch"?`],
  [{ mapLocation: "cpu" }, `Unknown option "mapLocation": the options are strict, mismatch, rename`],
  [{ strict: "yes" }, `Option "strict" must be a boolean or { allowMissing, allowUnexpected }, got string "yes"`],
  [{ strict: null }, `Option "strict" must be a boolean or { allowMissing, allowUnexpected }, got null`],
  [{ strict: ["*"] }, `Option "strict" must be a boolean or { allowMissing, allowUnexpected }, got an array`],
  [{ strict: { allowMising: [] } }, `Unknown option of "strict" "allowMising": did you mean "allowMissing"?`],
  [
    { strict: { allowMissing: "a.*" } },
    `Option "strict.allowMissing" must be an array of patterns, got string "a.*": write ["a.*"]`,
  ],
  [
    { strict: { allowUnexpected: [3] } },
    `Option "strict.allowUnexpected" must hold patterns, strings or RegExps, got number 3`,
  ],
  [{ strict: { allowMissing: ["{a"] } }, `Bad pattern "{a": "{" without "}"`],
  [{ mismatch: "ignore" }, `Option "mismatch" must be "error", "skip" or "overlap", got string "ignore"`],
  [{ mismatch: "Skip" }, `got string "Skip": did you mean "skip"?`],
  [{ mismatch: true }, `Option "mismatch" must be an action, rules or a function, got boolean true`],
  [
    { mismatch: { "*.bias": "cut" } },
    `Option "mismatch" must be "error", "skip" or "overlap", got string "cut" for "*.bias"`,
  ],
  [{ mismatch: ["skip"] }, `Option "mismatch" must list pairs of a pattern and an action, got string "skip"`],
  [{ mismatch: [[/a/, "overlaps"]] }, `got string "overlaps" for /a/: did you mean "overlap"?`],
  [{ rename: "Auto" }, `Option "rename" must be an array of rules or "auto", got string "Auto"`],
  [
    { rename: { strip: "a." } },
    `Option "rename" must be an array of rules or "auto", got an object with strip: write it in an array`,
  ],
  [{ rename: [{ strip: 3 }] }, `"strip" must be a string, got number 3`],
  [{ rename: [{ add: "" }] }, `"add" must not be empty: it would be found in every key`],
  [
    { rename: [{ replace: "a" }] },
    "A rename rule must be { strip }, { add }, { replace, with }, { drop } or a function, got an object with replace",
  ],
  [{ rename: [{ replace: "a", with: null }] }, `"with" must be a string, got null`],
  [{ rename: [{ strip: "a.", add: "b." }] }, "got an object with strip, add"],
  [{ rename: [{ drop: true }] }, `Option "drop" must hold patterns, strings or RegExps, got boolean true`],
  [{ rename: ["a."] }, `got string "a."`],
  [
    { transform: { "*": "transpose" } },
    `Option "transform" must be an array of [pattern, "transpose"], got an object with *`,
  ],
  [{ transform: [["*", "flip"]] }, `Option "transform" must be an array of [pattern, "transpose"], got an array in it`],
  [{ initMissing: "xavier" }, `Option "initMissing" must be a function, got string "xavier"`],
  [{ cast: "never" }, `Option "cast" must be "allow", "widen" or "error", got string "never"`],
  [{ cast: "wide" }, `did you mean "widen"?`],
  [{ assign: 1 }, `Option "assign" must be a boolean, got number 1`],
  [{ minCoverage: 50 }, `Option "minCoverage" must be a number from 0 to 1, got number 50`],
  [{ minCoverage: NaN }, `Option "minCoverage" must be a number from 0 to 1, got number NaN`],
  [{ minCoverage: "1" }, `Option "minCoverage" must be a number from 0 to 1, got string "1"`],
  [{ allowNoMatch: "true" }, `Option "allowNoMatch" must be a boolean, got string "true"`],
  [
    { stateDictPath: "model" },
    `Option "stateDictPath" must be an array of strings and integers, got string "model": write ["model"]`,
  ],
  [{ stateDictPath: [1.5] }, `Option "stateDictPath" must be an array of strings and integers, got an array`],
  [{ signal: {} }, `Option "signal" must be an AbortSignal, got an object with no fields`],
  [{ onProgress: 1 }, `Option "onProgress" must be a function, got number 1`],
  [{ allowNoMatch: true, minCoverage: 0.5 }, `Options "allowNoMatch" and "minCoverage" contradict each other`],
];

for (const [options, message] of MISUSES) {
  Deno.test(`settingsOf() refuses ${Deno.inspect(options, { compact: true, breakLength: Infinity })}`, () => {
    assertThrows(() => settingsOfAnything(options), TypeError, message);
  });
}

Deno.test("settingsOf() takes undefined for the default of every option", () => {
  const undefineds: Record<keyof LoadOptions, undefined> = {
    strict: undefined,
    mismatch: undefined,
    rename: undefined,
    transform: undefined,
    initMissing: undefined,
    cast: undefined,
    assign: undefined,
    minCoverage: undefined,
    allowNoMatch: undefined,
    stateDictPath: undefined,
    signal: undefined,
    onProgress: undefined,
  };
  const { strict, rename, cast, assign, minCoverage, allowNoMatch, initMissing, mismatch } = settingsOf(undefineds);
  assertEquals({ strict, rename, cast, assign, minCoverage, allowNoMatch, initMissing }, {
    strict: true,
    rename: [],
    cast: "allow",
    assign: false,
    minCoverage: 0,
    allowNoMatch: false,
    initMissing: null,
  });
  assertEquals(mismatch({ key: "a", checkpointShape: [1], modelShape: [2] }), "error");
});

Deno.test("settingsOf() accepts every option together and writes to none of them", () => {
  const options = Object.freeze(
    {
      strict: Object.freeze({ allowMissing: Object.freeze(["a"]), allowUnexpected: Object.freeze([/b/]) }),
      mismatch: Object.freeze({ "*": "skip" } as const),
      rename: Object.freeze(
        [{ strip: "a." }, { drop: /x/ }, { replace: /a/g, with: "" }, (key: string) => key] as const,
      ),
      transform: Object.freeze([["*", "transpose"]] as const),
      initMissing: () => {},
      cast: "widen",
      assign: true,
      minCoverage: 1,
      allowNoMatch: false,
      stateDictPath: Object.freeze(["model", 0]),
      signal: new AbortController().signal,
      onProgress: () => {},
    } as const,
  );
  assertEquals(settingsOf(options).minCoverage, 1);
});

Deno.test("settingsOf() reads mismatch rules in order: the first that matches decides", () => {
  const at = (key: string) => ({ key, checkpointShape: [1], modelShape: [2] });
  const record = settingsOf({ mismatch: { "a.*": "skip", "*.bias": "overlap" } });
  assertEquals(["a.bias", "b.bias", "b.weight"].map((key) => record.mismatch(at(key))), ["skip", "overlap", "error"]);
  const list = settingsOf({ mismatch: [[/bias$/, "overlap"], ["*", "skip"]] });
  assertEquals(["a.bias", "b.weight"].map((key) => list.mismatch(at(key))), ["overlap", "skip"]);
});

Deno.test("settingsOf() checks what a mismatch function answers", () => {
  const { mismatch } = settingsOf({ mismatch: ({ key }) => key === "a" ? "skip" : JSON.parse(`"crop"`) });
  assertEquals(mismatch({ key: "a", checkpointShape: [1], modelShape: [2] }), "skip");
  const bad = () => mismatch({ key: "b", checkpointShape: [1], modelShape: [2] });
  assertThrows(bad, TypeError, `Option "mismatch" must be "error", "skip" or "overlap", got string "crop" for "b"`);
});
