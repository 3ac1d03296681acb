/** What somebody meant who misspelt a name. */

/**
 * The known name that is a slip or two away from this one, or begins with it; undefined: none is. Capitals and dashes do
 * not count.
 */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const wanted = plain(name)
  const slips = (candidate: string) =>
    wanted.length >= 3 && candidate.startsWith(wanted) ? 1 : slipsBetween(wanted, candidate)
  const [best] = known
    .map((candidate) => ({ candidate, slips: slips(plain(candidate)) }))
    .sort((one, other) => one.slips - other.slips)
  return best !== undefined && best.slips <= Math.max(1, Math.floor(name.length / 3))
    ? best.candidate
    : undefined
}

/** The cure for an unknown name: the nearest known one, or all that there are, each as `written`. */
export const didYouMean = (
  name: string,
  known: ReadonlyArray<string>,
  written: (name: string) => string = (known) => known,
): string => {
  const near = nearest(name, known)
  return near === undefined
    ? `the known ones are ${known.map(written).join(', ')}`
    : `did you mean ${written(near)}?`
}

/** The first field of a value that is none of the known ones; one that is undefined is not there. */
export const unknownField = (given: object, known: ReadonlyArray<string>): string | undefined =>
  Object.entries(given).find(([name, value]) => value !== undefined && !known.includes(name))?.[0]

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, '')

/** Characters that are missing, too many, wrong, or changed places with their neighbour (optimal string alignment). */
const slipsBetween = (one: string, other: string): number => {
  const rows: Array<ReadonlyArray<number>> = [Array.from({ length: other.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= one.length; i += 1) {
    const row: Array<number> = [i]
    rows.push(row)
    for (let j = 1; j <= other.length; j += 1) {
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (one[i - 1] === other[j - 1] ? 0 : 1),
          isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(one.length, other.length)
}
