import { Linear, Module, relu, type Tensor } from "../../../mod.ts";

export default class AddedLayer extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);
  linear3 = new Linear(2, 1);
  override forward(x: Tensor): Tensor {
    return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
  }
}
