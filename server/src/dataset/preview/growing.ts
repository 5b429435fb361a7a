/** Arrays of numbers that grow row by row. */
export interface Growing<A extends Int32Array | Float64Array> {
  push(value: number): void;
  /** All that has been pushed and room for more: not a copy. */
  readonly values: A;
  readonly count: number;
}

export function growing<A extends Int32Array | Float64Array>(make: (length: number) => A): Growing<A> {
  let values = make(1 << 10);
  let count = 0;
  return {
    push(value) {
      if (count === values.length) {
        const grown = make(count * 2);
        grown.set(values);
        values = grown;
      }
      values[count++] = value;
    },
    get values() {
      return values;
    },
    get count() {
      return count;
    },
  };
}

export const growingInts = (): Growing<Int32Array> => growing((length) => new Int32Array(length));
export const growingNumbers = (): Growing<Float64Array> => growing((length) => new Float64Array(length));
