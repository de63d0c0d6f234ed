import { assert, assertEquals } from "@std/assert";
import { Generator, init, manualSeed, type Tensor, zeros } from "../../mod.ts";
import constants from "../fixtures/init/constants.json" with { type: "json" };
import fans from "../fixtures/init/fans.json" with { type: "json" };
import kaiming from "../fixtures/init/kaiming.json" with { type: "json" };
import orthogonal from "../fixtures/init/orthogonal.json" with { type: "json" };
import sparse from "../fixtures/init/sparse.json" with { type: "json" };
import truncated from "../fixtures/init/truncated.json" with { type: "json" };
import { casesOf, compared, drawnThen, drawOf, entriesOf } from "../tensor/draws.ts";
import { assertTensor } from "../tensor/torch_text.ts";
import type { Tolerance } from "../tensor/torch_text.ts";

type Args = Readonly<Record<string, unknown>>;

/** The draws of float64 go through the C library's log, sin and cos in PyTorch; LAPACK's QR rounds in its own order. */
const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  "float64": { ulps: 4 },
  "orthogonal_ float32": { absolute: 1e-5 },
  "orthogonal_ float64": { absolute: 1e-13 },
};

/** PyTorch's functions with their keyword arguments, by position where PyTorch users give them so. */
const CALLS: Readonly<Record<string, (t: Tensor, args: Args, generator: Generator) => Tensor>> = {
  constant_: (t, { val }) => init.constant_(t, Number(val)),
  ones_: (t) => init.ones_(t),
  zeros_: (t) => init.zeros_(t),
  eye_: (t) => init.eye_(t),
  dirac_: (t, { groups }) => init.dirac_(t, groups === undefined ? undefined : Number(groups)),
  uniform_: (t, { a, b }, generator) => init.uniform_(t, Number(a ?? 0), Number(b ?? 1), { generator }),
  normal_: (t, { mean, std }, generator) => init.normal_(t, Number(mean ?? 0), Number(std ?? 1), { generator }),
  xavier_uniform_: (t, { gain }, generator) => init.xavierUniform_(t, Number(gain ?? 1), { generator }),
  xavier_normal_: (t, { gain }, generator) => init.xavierNormal_(t, { gain: Number(gain ?? 1), generator }),
  kaiming_uniform_: (t, args, generator) => init.kaimingUniform_(t, { ...kaimingOf(args), generator }),
  kaiming_normal_: (t, args, generator) => init.kaimingNormal_(t, { ...kaimingOf(args), generator }),
  trunc_normal_: (t, args, generator) => init.truncNormal_(t, { ...numbersOf(args), generator }),
  orthogonal_: (t, { gain }, generator) => init.orthogonal_(t, Number(gain ?? 1), { generator }),
  sparse_: (t, { sparsity, std }, generator) => {
    return init.sparse_(t, Number(sparsity), Number(std ?? 0.01), { generator });
  },
};

for (const [file, fixture] of Object.entries({ constants, fans, kaiming, orthogonal, sparse, truncated })) {
  for (const [place, one] of casesOf(fixture).entries()) {
    const draw = drawOf(one);
    Deno.test(`${file} ${place}: ${draw.op} of ${draw.dtype}[${draw.shape}] ${JSON.stringify(draw.args)}`, () => {
      // sparse_ takes its rows from the default generator, whichever the values come from; PyTorch has one for both.
      const generator = draw.op === "sparse_"
        ? manualSeed(Number(one.seed))
        : new Generator().manualSeed(Number(one.seed));
      const target = zeros(draw.shape, { dtype: draw.dtype });
      const result = CALLS[draw.op](target, entriesOf(draw.args), generator);
      assert(result === target);
      const { actual, expected } = compared(result, draw);
      const tolerance = TOLERANCES[`${draw.op} ${draw.dtype}`] ?? TOLERANCES[draw.dtype];
      assertTensor(actual, expected, draw.op, tolerance);
      assertEquals(drawnThen(generator), one.then);
    });
  }
}

function kaimingOf(args: Args): init.KaimingOptions {
  const mode = args.mode === "fan_out" ? "fan_out" : "fan_in";
  const nonlinearity = args.nonlinearity ?? "leaky_relu";
  assert(isNonlinearity(nonlinearity));
  return { a: Number(args.a ?? 0), mode, nonlinearity };
}

function isNonlinearity(name: unknown): name is init.Nonlinearity {
  return typeof name === "string" && init.calculateGain(JSON.parse(JSON.stringify(name))) > 0;
}

function numbersOf(args: Args): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, Number(value)]));
}
