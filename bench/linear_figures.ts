/**
 * The figures of linear layers: against the better peer, as a part of what the machine can do, in both variants.
 *
 * @module
 */

import { Linear } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import { BareCore, PEAK_OPERATIONS } from "./core.ts";
import type { Bar, Figure } from "./figure.ts";
import { inputOf, kernelContestant, layerOf, linearPeers, oursContestant } from "./linear_contestants.ts";
import { checkLinear, type LinearProblem, linearProblem, type LinearShape, operations } from "./linear_problem.ts";
import { LINEAR_SHAPES, shapeName } from "./linear_problem.ts";
import type { LinearPeer } from "./peers/peer.ts";
import { progress } from "./progress.ts";
import { timeInTurns, type Timing } from "./rounds.ts";
import { fastest, type SectionOptions, speedup } from "./section.ts";

/** Turns of one sample of the peak: about a millisecond on a current core. */
const PEAK_TURNS = 500_000;

/** The bars of a shape. */
interface ShapeBars {
  /** How many times as fast as the better peer. */
  readonly peer: number;
  /** Per cent of the madd peak. */
  readonly peak?: number;
}

/** The bars, by {@linkcode shapeName}. */
const BARS: Readonly<Record<string, ShapeBars>> = {
  "60×512×512": { peer: 1.85, peak: 92 },
  "60×768×768": { peer: 1.85, peak: 92 },
  "60×3072×768": { peer: 1.75, peak: 90 },
  "120×1024×1024": { peer: 1.65, peak: 85 },
  "512×1024×1024": { peer: 1.65, peak: 85 },
  "8×1024×1024": { peer: 1.65, peak: 85 },
  "1×768×768": { peer: 1.9 },
  "1×3072×768": { peer: 1.6 },
  "1000×10×5": { peer: 3.5 },
  "1×10×5": { peer: 30 },
  "1×4096×4096": { peer: 1.05 },
};

/** The bar where weights of 16 bits come from memory, and of the part of a stream read there. */
const HALF_BAR = 1.5;
const STREAM_BAR = 85;

/** Where the plain variant has a bar of its own; elsewhere it may not be slower than the better peer. */
const PLAIN = { longest: 768, bar: 1.4 };

/** How long everyone took for one shape. */
interface Measured {
  readonly shape: LinearShape;
  readonly peak: Timing;
  readonly ours: Timing;
  /** The kernel of the plain variant, on addresses. */
  readonly plain: Timing;
  /** Where the weights come from memory: weights of 16 bits, and a read of the weights alone. */
  readonly half?: Timing;
  readonly stream?: Timing;
  /** The better peer; none where none is installed. */
  readonly peer?: Timing;
}

/** Times every shape. */
export async function linearFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const peers = await linearPeers();
  const plainCore = new BareCore("simd");
  const measured: Measured[] = [];
  for (const shape of LINEAR_SHAPES) {
    await progress(`linear ${shapeName(shape)}`);
    measured.push(await measure(shape, { ...options, plainCore, peers }));
  }
  return [
    ...measured.flatMap(shapeFigures),
    ...peakFigures(measured),
    ...plainFigures(measured),
  ];
}

interface MeasureOptions extends SectionOptions {
  readonly plainCore: BareCore;
  readonly peers: readonly LinearPeer[];
}

async function measure(shape: LinearShape, options: MeasureOptions): Promise<Measured> {
  const { core, plainCore, peers } = options;
  const problem = linearProblem(shape);
  const checked = [oursContestant(problem), kernelContestant(problem, plainCore)];
  for (const peer of peers) checked.push(await peer.prepare(problem));
  for (const { name, result } of checked) checkLinear(problem, await result(), name);
  const peak = { name: "madd peak", isAsync: false, run: () => core.peak(PEAK_TURNS) };
  const memory = shape.isCached ? [] : [halfContestant(problem), streamContestant(problem, core)];
  const [most, ours, plain, ...rest] = await timeInTurns([peak, ...checked, ...memory], options);
  const [half, stream] = rest.slice(peers.length);
  return { shape, peak: most, ours, plain, half, stream, peer: fastest(rest.slice(0, peers.length)) };
}

/** `Linear.forward` with weights and input of 16 bits. */
function halfContestant(problem: LinearProblem): Contestant {
  const { k, n } = problem.shape;
  const layer = new Linear(k, n, { dtype: "bfloat16" });
  layer.loadStateDict(layerOf(problem).stateDict());
  const x = inputOf(problem).to("bfloat16");
  return { name: "bfloat16", isAsync: false, run: () => layer.forward(x) };
}

/** A read of the weights. */
function streamContestant({ w }: LinearProblem, core: BareCore): Contestant {
  const address = core.place(w);
  return { name: "stream read", isAsync: false, run: () => core.readStream(address, w.byteLength) };
}

function shapeFigures({ shape, ours, half, stream, peer }: Measured): readonly Figure[] {
  const name = shapeName(shape);
  const figures: Figure[] = [{
    what: `${name}: × the better peer`,
    ...speedup(ours, peer),
    bar: { least: BARS[name].peer },
    note: peer?.name,
  }];
  if (half !== undefined) {
    const what = `${name}, bfloat16: × the better peer's float32`;
    figures.push({ what, ...speedup(half, peer), bar: { least: HALF_BAR } });
  }
  if (stream !== undefined) {
    const { value, isQuiet } = speedup(ours, stream);
    const what = `${name}: % of a stream read of the weights`;
    figures.push({ what, value: value === null ? null : 100 * value, isQuiet, bar: { least: STREAM_BAR } });
  }
  return figures;
}

/** What limits the peak is one core's clock, so that the run's best is the machine's. */
function peakFigures(measured: readonly Measured[]): readonly Figure[] {
  const speed = PEAK_TURNS * PEAK_OPERATIONS / Math.min(...measured.map(({ peak }) => peak.milliseconds));
  return measured.map(({ shape, ours }): Figure => {
    const name = shapeName(shape);
    const bar: Bar | undefined = BARS[name].peak === undefined ? undefined : { least: BARS[name].peak };
    const value = 100 * operations(shape) / ours.milliseconds / speed;
    return { what: `${name}: % of the madd peak`, value, isQuiet: ours.isQuiet, bar };
  });
}

function plainFigures(measured: readonly Measured[]): readonly Figure[] {
  const { longest, bar } = PLAIN;
  const short = measured.filter(({ shape }) => shape.k <= longest);
  const long = measured.filter(({ shape }) => shape.k > longest);
  return [
    {
      what: `plain simd128, worst shape of K ≤ ${longest}: × the better peer`,
      ...worstPlain(short),
      bar: { least: bar },
    },
    { what: `plain simd128, worst shape of K > ${longest}: × the better peer`, ...worstPlain(long), bar: { least: 1 } },
  ];
}

function worstPlain(measured: readonly Measured[]): Pick<Figure, "value" | "isQuiet" | "note"> {
  const ratios = measured.map(({ shape, plain, peer }) => ({ ...speedup(plain, peer), note: shapeName(shape) }));
  return ratios.reduce((worst, next) => (next.value ?? 0) < (worst.value ?? 0) ? next : worst);
}
