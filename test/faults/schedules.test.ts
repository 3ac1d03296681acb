import { writeSync } from 'node:fs'
import { assert, sample, seed, suite } from '../helper/index.js'
import { runSchedule } from './schedule.js'

const test = suite('a rotation, in a random world')

const count = sample(40, 2_500)
const steps = 60

test(`keeps what works and is renewed in the end, ${count} times`, {
  deadline: sample(60_000, 1_500_000),
}, async () => {
  const failures: Array<string> = []
  for (let number = 0; number < count && failures.length < 3; number += 1) {
    // Should it hang, the runner's output ends with the seed that did it.
    const beforeHanging = setTimeout(() => writeSync(1, `SEED=${seed + number} takes long\n`), 5_000)
    const { problems, journal } = await runSchedule(seed + number, steps)
    clearTimeout(beforeHanging)
    if (problems.length === 0) continue
    failures.push(`SEED=${seed + number}: ${problems.join('; ')}`)
    if (process.env['SEED'] !== undefined) console.log(journal.join('\n'))
  }
  assert.equal(failures, [], 'to replay: SEED=n npm test -- faults/schedules')
})
