/** Random choices that are the same for the same seed (Mulberry32). */
export interface Dice {
  /** From 0 up to 1. */
  readonly roll: () => number
  /** Whole, from 0 up to `limit`. */
  readonly below: (limit: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(choices: readonly [A, ...ReadonlyArray<A>]) => A
}

export const diceOf = (seed: number): Dice => {
  let state = seed | 0
  const roll = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(roll() * limit)
  return {
    roll,
    below,
    chance: (probability) => roll() < probability,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
  }
}
