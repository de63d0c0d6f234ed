/**
 * Graft pretrained PyTorch weights onto the model you actually have.
 *
 * Read a checkpoint that `torch.save` or safetensors wrote, see what will load before anything is touched, load it with
 * PyTorch's own `load_state_dict` semantics, initialise what is missing, and run it on a WebAssembly SIMD core. No
 * Python, no code execution, no permission that the input does not need.
 *
 * @example A layer more than the checkpoint
 * ```ts
 * import { init, Linear, loadCheckpoint, Module, relu, type Tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * class ModifiedModel extends Module {
 *   linear1 = new Linear(10, 5);
 *   linear2 = new Linear(5, 2);
 *   linear3 = new Linear(2, 1); // not in the checkpoint
 *   override forward(x: Tensor): Tensor {
 *     return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
 *   }
 * }
 *
 * const model = new ModifiedModel();
 * const report = await loadCheckpoint(model, "examples/data/pretrained.pt", {
 *   strict: false,
 *   initMissing: init.xavierUniform_,
 * });
 * assertEquals(report.missingKeys, ["linear3.weight", "linear3.bias"]);
 * ```
 *
 * @module
 */

export type { DType, RareDType } from "./src/dtype.ts";
export {
  CheckpointError,
  LimitError,
  LoadRefusedError,
  LoadStateDictError,
  PartialLoadError,
  TruncatedError,
  UnsupportedError,
} from "./src/errors.ts";
export type { CheckpointErrorOptions } from "./src/errors.ts";
export type { Coverage, LoadRefusal, Mismatch, MismatchAction, Outcome, Pattern } from "./src/outcome.ts";
export type { Shape } from "./src/shape.ts";
export { isLazyTensor, StateDict } from "./src/state_dict.ts";
export type { Inert, InertObject, LazyTensor, StateDictMetadata, StorageInfo } from "./src/state_dict.ts";
export { VERSION } from "./src/version.ts";

export type { ByteSource } from "./src/bytes/source.ts";
export type { SourceLike } from "./src/bytes/open_source.ts";
export type { Checkpoint } from "./src/checkpoint/checkpoint.ts";
export type { CheckpointFormat } from "./src/checkpoint/detect.ts";
export { pythonTypeName } from "./src/python_type.ts";
export { DEFAULT_LIMITS } from "./src/checkpoint/limits.ts";
export type { Limits } from "./src/checkpoint/limits.ts";
export { openCheckpoint } from "./src/checkpoint/open.ts";
export type { OpenOptions } from "./src/checkpoint/open.ts";
export type { StateDictPath } from "./src/checkpoint/state_dicts.ts";

export type {
  DimArgument,
  DimKeepOptions,
  DimOptions,
  DimTypeOptions,
  NormOptions,
  RandomOptions,
  ReduceOptions,
  SumArgument,
  SumOptions,
  VarianceOptions,
} from "./src/tensor/arguments.ts";
export {
  arange,
  empty,
  eye,
  full,
  fullLike,
  ones,
  onesLike,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  tensor,
  zeros,
  zerosLike,
} from "./src/tensor/creation.ts";
export type { RandomTensorOptions, TensorOptions, TensorValues } from "./src/tensor/creation.ts";
export {
  abs,
  add,
  allclose,
  argmax,
  cat,
  clamp,
  div,
  equal,
  exp,
  floorDivide,
  log,
  logSoftmax,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  pow,
  relu,
  remainder,
  sigmoid,
  softmax,
  sqrt,
  stack,
  sub,
  sum,
  tanh,
  where,
} from "./src/tensor/functions.ts";
export { getNumThreads, setNumThreads } from "./src/tensor/threads.ts";
export { defaultGenerator, Generator, initialSeed, manualSeed } from "./src/tensor/generator.ts";
export type { PrintOptions } from "./src/tensor/print.ts";
export { Tensor } from "./src/tensor/tensor.ts";
export type { Slice } from "./src/tensor/operations/subscript.ts";
export type {
  AlphaOptions,
  BytesOptions,
  ClampOptions,
  CloseOptions,
  Element,
  IndexPart,
  IntegerOptions,
  NestedList,
  Operand,
  RandomRange,
  TensorData,
  TensorLayout,
} from "./src/tensor/tensor.ts";

export { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh } from "./src/nn/activation.ts";
export type { GELUOptions, InplaceOptions, LeakyReLUOptions } from "./src/nn/activation.ts";
export { Container, ModuleDict, ModuleList, Sequential } from "./src/nn/containers.ts";
export type { NamedModules } from "./src/nn/containers.ts";
export { Dropout } from "./src/nn/dropout.ts";
export type { DropoutOptions } from "./src/nn/dropout.ts";
export * as functional from "./src/nn/functional.ts";
export { Flatten, Identity } from "./src/nn/identity.ts";
export type { FlattenOptions } from "./src/nn/identity.ts";
export * as init from "./src/nn/init.ts";
export { Linear } from "./src/nn/linear.ts";
export type { LinearOptions } from "./src/nn/linear.ts";
export type { StateDictLike } from "./src/nn/loading.ts";
export { Module } from "./src/nn/module.ts";
export type { NamedOptions, Registered } from "./src/nn/module.ts";
export { Buffer, Parameter } from "./src/nn/parameter.ts";
export type { BufferOptions, ParameterOptions } from "./src/nn/parameter.ts";

export type { KeyEditor } from "./src/plan/keys.ts";
export type {
  CastPolicy,
  LoadOptions,
  LoadProgress,
  MismatchAt,
  MismatchRules,
  MissingInitialiser,
  RenameRule,
  Strictness,
  TransformRule,
} from "./src/plan/options.ts";
export { LoadOutcome } from "./src/plan/outcome_record.ts";
export { LoadReport } from "./src/plan/report.ts";
export type { Problem, ProblemKind, SuggestedOptions, Suggestion } from "./src/plan/rows.ts";
export type { TextOptions } from "./src/plan/table.ts";

export { compareCheckpoints, convertCheckpoint, inspectCheckpoint } from "./src/load/checkpoints.ts";
export type { CompareOptions } from "./src/load/compare.ts";
export type { ComparedTensor, ComparedValues, Comparison, Differing } from "./src/load/comparison.ts";
export type { Conversion, ConvertedTensor } from "./src/load/conversion.ts";
export type { ConvertOptions } from "./src/load/convert.ts";
export type { Difference } from "./src/load/differences.ts";
export { encodeSafetensors } from "./src/load/encode_safetensors.ts";
export type { SafetensorsOptions, ShardedSafetensorsOptions } from "./src/load/encode_safetensors.ts";
export type { Alias } from "./src/load/safetensors_layout.ts";
export type { InspectedTensor, Inspection, InspectOptions } from "./src/load/inspect.ts";
export { encodeTorch } from "./src/load/encode_torch.ts";
export type { TorchOptions } from "./src/load/encode_torch.ts";
export { load } from "./src/load/load.ts";
export type { LoadStateDictOptions } from "./src/load/load.ts";
export { loadCheckpoint } from "./src/load/load_checkpoint.ts";
export { LoadPlan, planLoad } from "./src/load/plan_load.ts";
export type { ApplyOptions } from "./src/load/plan_load.ts";
export { save } from "./src/load/save.ts";
export type { SaveFormat, SaveOptions } from "./src/load/save.ts";
