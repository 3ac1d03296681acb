import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { assert, suite } from '../helper/index.js'
import { transcripts } from './files.js'
import { rewrite, title } from './transcript.js'
import { world } from './world.js'

const test = suite('scenarios')

for (const file of transcripts()) {
  const transcript = readFileSync(file, 'utf8')
  test(`${basename(file, '.txt')}: ${title(transcript)}`, async () => {
    assert.fixture(
      await rewrite(transcript, world()),
      transcript,
      `${basename(file)} tells another story now. If it is the better one: node dist/test/scenarios/write.js ${basename(file)}`,
    )
  })
}
