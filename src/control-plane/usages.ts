/** Whether two lists of usages are one set. */
export const sameUsages = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.every((usage) => b.includes(usage)) && b.every((usage) => a.includes(usage))
