/** One block of PEM (RFC 7468): its label and its text from `-----BEGIN` to `-----END`, without what stood around it. */
export interface PemBlock {
  readonly label: string
  readonly text: string
}

const boundary = /^-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----\s*$/

/**
 * The blocks of a text, in order. Text outside of blocks is passed over, as are blocks that do not end. One pass over
 * the lines: the time is proportional to the text, whatever is in it.
 */
export const pemBlocks = (text: string): ReadonlyArray<PemBlock> => {
  const blocks: Array<PemBlock> = []
  let label: string | undefined
  let body: Array<string> = []
  for (const line of text.split('\n')) {
    const [, edge, name] = boundary.exec(line) ?? []
    if (edge === 'BEGIN') {
      label = name
      body = []
    } else if (edge === 'END') {
      if (label !== undefined && label === name) blocks.push({ label, text: joined(label, body) })
      label = undefined
    } else if (label !== undefined) {
      body.push(line.trim())
    }
  }
  return blocks
}

const joined = (label: string, body: ReadonlyArray<string>): string =>
  [`-----BEGIN ${label}-----`, ...body, `-----END ${label}-----`, ''].join('\n')
