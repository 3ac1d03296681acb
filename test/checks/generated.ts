/** What stands in a page between `<!-- NAME: generated -->` and `<!-- end of NAME -->`. */

/** The text with the body between the markers of that name; undefined when a marker is missing. */
export const withGenerated = (text: string, name: string, body: string): string | undefined => {
  const [start, end] = markersOf(name)
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  return from === -1 || to < from ? undefined : `${text.slice(0, from)}${start}\n${body}\n${text.slice(to)}`
}

export const markersOf = (name: string): readonly [string, string] => [
  `<!-- ${name}: generated -->`,
  `<!-- end of ${name} -->`,
]
