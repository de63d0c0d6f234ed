import { Linear, Sequential } from "../../../mod.ts";

export default (): Sequential => new Sequential({ linear1: new Linear(10, 5), linear2: new Linear(5, 2) });
