import { Linear } from "../../../mod.ts";

export class Net extends Linear {}
export const size = 3;
