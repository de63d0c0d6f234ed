import { assertEquals } from "@std/assert";
import { Generator, manualSeed } from "../../mod.ts";
import bernoulli from "../fixtures/random/bernoulli.json" with { type: "json" };
import exponential from "../fixtures/random/exponential.json" with { type: "json" };
import integers from "../fixtures/random/integers.json" with { type: "json" };
import normal from "../fixtures/random/normal.json" with { type: "json" };
import randperm from "../fixtures/random/randperm.json" with { type: "json" };
import sequences from "../fixtures/random/sequences.json" with { type: "json" };
import truncatedSequences from "../fixtures/random/truncated_sequences.json" with { type: "json" };
import uniform from "../fixtures/random/uniform.json" with { type: "json" };
import { casesOf, compared, drawn, drawnThen, drawOf } from "./draws.ts";
import type { Draw } from "./draws.ts";
import { assertTensor } from "./torch_text.ts";
import type { Tolerance } from "./torch_text.ts";

/** PyTorch takes float64's log, sin and cos from the C library, and exponential's log from a vector library. */
const LAST_PLACES: Readonly<Record<string, Tolerance>> = {
  "normal_ float64": { ulps: 1 },
  "trunc_normal_ float64": { ulps: 1 },
  "exponential_ float64": { ulps: 2 },
};

for (const [file, fixture] of Object.entries({ bernoulli, exponential, integers, normal, randperm, uniform })) {
  for (const [place, one] of casesOf(fixture).entries()) {
    const draw = drawOf(one);
    const title = `${draw.op} of ${draw.dtype}[${draw.shape}] ${
      JSON.stringify({ ...draw.args, probabilities: undefined })
    }`;
    Deno.test(`${file} ${place}: ${title} has PyTorch's bits`, () => {
      const generator = new Generator().manualSeed(Number(one.seed));
      assertDraw(drawn(draw, generator), draw);
      assertEquals(drawnThen(generator), one.then);
    });
  }
}

for (const [place, one] of [...casesOf(sequences), ...casesOf(truncatedSequences)].entries()) {
  Deno.test(`sequences ${place}: draws that follow one another have PyTorch's bits`, () => {
    manualSeed(Number(one.seed));
    for (const draw of stepsOf(one)) assertDraw(drawn(draw), draw);
    assertEquals(drawnThen(), one.then);
  });

  Deno.test(`sequences ${place}: the same where values are read afterwards, the last first`, () => {
    manualSeed(Number(one.seed));
    const steps = stepsOf(one).map((draw) => ({ draw, tensor: drawn(draw) }));
    const then = drawnThen();
    for (const { draw, tensor } of steps.toReversed()) assertDraw(tensor, draw);
    assertEquals(then, one.then);
  });
}

function stepsOf(one: Readonly<Record<string, unknown>>): Draw[] {
  if (!Array.isArray(one.steps)) throw new TypeError("A sequence has steps");
  return one.steps.map(drawOf);
}

function assertDraw(tensor: Parameters<typeof compared>[0], draw: Draw): void {
  const { actual, expected } = compared(tensor, draw);
  assertTensor(actual, expected, draw.op, LAST_PLACES[`${draw.op} ${draw.dtype}`]);
}
