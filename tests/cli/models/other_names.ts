import { Linear, Sequential } from "../../../mod.ts";

export default new Sequential({ first: new Linear(10, 5), linear2: new Linear(5, 2) });
