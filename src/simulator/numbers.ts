/** Numbers in bulk: one for each node, one for each second. */
export type Numbers = Float64Array | Int32Array

/** The number at an index; 0 beyond the end. */
export const at = (numbers: Numbers, index: number): number => numbers[index] ?? 0

/** Adds to the number at an index within bounds. */
export const add = (numbers: Numbers, index: number, amount: number): void => {
  numbers[index] = at(numbers, index) + amount
}
