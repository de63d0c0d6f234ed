/**
 * The models of `generators/modules.py`, field for field.
 *
 * @module
 */

import {
  Buffer,
  Dropout,
  Flatten,
  GELU,
  Identity,
  Linear,
  Module,
  ModuleDict,
  ModuleList,
  Parameter,
  ReLU,
  relu,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../mod.ts";

class Modified extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);
  linear3 = new Linear(2, 1);
  override forward(x: Tensor): Tensor {
    return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
  }
}

class Layers extends Module {
  head = new Linear(3, 2);
  layers = new ModuleList([new Linear(3, 3), new Linear(3, 3), new Linear(3, 3)]);
  act = new Tanh();
  override forward(x: Tensor): Tensor {
    for (const layer of this.layers) x = this.act.forward(layer.forward(x));
    return this.head.forward(x);
  }
}

class Branches extends Module {
  branches = new ModuleDict<Linear | Identity>(
    new Map([["10", new Linear(2, 2)], ["b", new Linear(2, 2)], ["2", new Identity()]]),
  );
  override forward(x: Tensor): Tensor {
    const [ten, b, two] = ["10", "b", "2"].map((name) => this.branches.get(name).forward(x));
    return ten.add(b).add(two);
  }
}

class Tied extends Module {
  encoder = new Linear(3, 3);
  decoder = new Linear(3, 3, { bias: false });
  again = this.encoder;
  constructor() {
    super();
    this.decoder.weight = this.encoder.weight;
  }
  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.again.forward(this.encoder.forward(x)));
  }
}

class Buffers extends Module {
  scale = new Buffer(tensor([2, 0.5]));
  mask = new Buffer(tensor([true, false]), { persistent: false });
  nothing: Buffer | null = null;
  gain = new Parameter(tensor(1.5));
  shift: Parameter | null = null;
  steps = new Buffer(tensor(3n));
  inner = new Linear(2, 2);
  override forward(x: Tensor): Tensor {
    const y = this.inner.forward(x.mul(this.scale));
    return where(this.mask, zeros([]), y).mul(this.gain);
  }
}

/** The models by the names that the fixture gives them. */
export const MODELS: Readonly<Record<string, () => Module>> = {
  linear: () => new Linear(10, 5),
  linear_without_bias: () => new Linear(3, 4, { bias: false }),
  linear_of_one: () => new Linear(1, 1),
  linear_of_none: () => new Linear(0, 2),
  linear_float64: () => new Linear(3, 2, { dtype: "float64" }),
  linear_float16: () => new Linear(3, 2, { dtype: "float16" }),
  linear_bfloat16: () => new Linear(3, 2, { dtype: "bfloat16" }),
  modified: () => new Modified(),
  sequential: () => new Sequential(new Linear(4, 3), new ReLU(), new Dropout(0.5), new Linear(3, 2), new Sigmoid()),
  named_sequential: () => new Sequential({ flat: new Flatten(), fc: new Linear(4, 2), act: new GELU() }),
  nested: () =>
    new Sequential(
      new Sequential(new Linear(2, 3), new SiLU()),
      new Sequential(new Linear(3, 2), new Softmax(-1)),
    ),
  layers: () => new Layers(),
  branches: () => new Branches(),
  tied: () => new Tied(),
  buffers: () => new Buffers(),
  empty: () => new Sequential(),
};
