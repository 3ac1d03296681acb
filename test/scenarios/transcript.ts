/**
 * Transcripts: a story in paragraphs. A paragraph is prose (lines that begin with `#`), then commands, one a line,
 * then `----` and what the commands answered. `rewrite` plays a transcript and puts in the answers of now; a transcript
 * is right when that changes nothing. One without answers yet gets them.
 */

/** What a transcript is played on. */
export interface Stage {
  /** Does what a command says; answers what happened, and throws when it does not know the command. */
  readonly play: (command: string) => Promise<ReadonlyArray<string>>
  /** What comes next, said at the end of a paragraph. */
  readonly next: () => ReadonlyArray<string>
}

const RULE = '----'

interface Paragraph {
  readonly prose: ReadonlyArray<string>
  readonly commands: ReadonlyArray<string>
}

const paragraph = (text: string): Paragraph => {
  const lines = text.split('\n')
  const rule = lines.indexOf(RULE)
  const told = rule < 0 ? lines : lines.slice(0, rule)
  return {
    prose: told.filter((line) => line.startsWith('#')),
    commands: told.filter((line) => !line.startsWith('#')),
  }
}

/** The first line of a transcript: what it is about. */
export const title = (transcript: string): string => transcript.split('\n')[0]?.replace(/^#\s*/, '') ?? ''

/** The same transcript with the answers that its commands have now. */
export const rewrite = async (transcript: string, { play, next }: Stage): Promise<string> => {
  const out: Array<string> = []
  for (const { prose, commands } of transcript
    .trim()
    .split(/\n{2,}/)
    .map(paragraph)) {
    const answer: Array<string> = []
    for (const command of commands) answer.push(...(await play(command)))
    out.push([...prose, ...commands, ...(commands.length > 0 ? [RULE, ...answer, ...next()] : [])].join('\n'))
  }
  return `${out.join('\n\n')}\n`
}
