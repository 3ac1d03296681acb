import { readFile } from 'node:fs/promises'
import { assert, suite, thorough } from '../../helper/index.js'
import { answer, page, questions, written } from './answers.js'

const test = suite('answers of the simulator')
const text = await readFile(page, 'utf8')

for (const [name, isQuick] of questions)
  test(`the page says of ${name} what its scenario comes to`, { deadline: 300_000 }, async () => {
    const said = written(text, name)
    assert.ok(said !== undefined, `there is no place for ${name}`)
    if (isQuick || thorough) assert.is(said, await answer(name), 'run node dist/test/src/simulator/write.js')
  })
