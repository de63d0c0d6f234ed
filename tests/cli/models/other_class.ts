export default class Net {
  weight = 1;
}
