/** `node dist/test/scenarios/write.js [PART OF A NAME]...`: puts the answers of now into the transcripts. Read the diff. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { transcripts } from './files.js'
import { rewrite } from './transcript.js'
import { world } from './world.js'

const parts = process.argv.slice(2)
for (const file of transcripts().filter((path) => parts.every((part) => basename(path).includes(part)))) {
  const before = readFileSync(file, 'utf8')
  const after = await rewrite(before, world()).catch((error: unknown) => {
    throw new Error(`${basename(file)} cannot be played`, { cause: error })
  })
  if (after === before) continue
  writeFileSync(file, after)
  console.log(`wrote ${basename(file)}`)
}
