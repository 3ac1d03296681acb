/** The number at an index; 0 beyond the end. */
export const at = (numbers: Float64Array, index: number): number => numbers[index] ?? 0

/** Adds to the number at an index within bounds. */
export const add = (numbers: Float64Array, index: number, amount: number): void => {
  numbers[index] = at(numbers, index) + amount
}
