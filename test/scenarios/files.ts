import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where the transcripts lie: among the sources, not in dist/. */
const folder = join(import.meta.dirname, '../../../test/scenarios')

/** Every transcript, by its path. */
export const transcripts = (): ReadonlyArray<string> =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => join(folder, file))
