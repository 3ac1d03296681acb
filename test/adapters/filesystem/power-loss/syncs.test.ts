/** That the simulation of a power loss can fail: each sync is left out, and found missing. */
import { assert, note, sample, suite } from '../../../helper/index.js'
import { check } from './check.js'
import { fileSystemOn } from './file-system.js'
import type { Played } from './play.js'
import { type Prepared, playKilled, playWhole, prepare } from './prepared.js'
import { type Scenario, scenarios } from './scenarios.js'

const test = suite('a power loss')

/** With fewer syncs there is far more that a power loss may leave; a part of it is enough to find harm. */
const most = 256

/** What is wrong with the first state in which something is. */
const firstViolation = async ({ crashes }: Played, { start }: Prepared): Promise<string | undefined> => {
  for (const crash of crashes.values()) {
    try {
      await check(fileSystemOn(crash.disk), crash, start)
    } catch (error) {
      return error instanceof Error ? error.message : 'something was thrown that is no Error'
    }
  }
  return undefined
}

interface Sync {
  /** The call before it, and it. */
  readonly calls: RegExp
  /** Where it cannot be done without. */
  readonly needed: keyof typeof scenarios
  /** It is there for what a process that was killed had not synced. */
  readonly kills?: true
  /** Why it can be done without elsewhere. */
  readonly covered?: string
}

/** Every sync that the adapter asks for. */
const syncs: Readonly<Record<string, Sync>> = {
  'of any kind': { calls: / > sync/, needed: 'a renewal' },
  'of files': { calls: / > sync /, needed: 'a renewal' },
  'of directories': { calls: / > syncDirectory /, needed: 'a renewal' },
  'of a file with a request': { calls: / > sync /, needed: 'a request that is forgotten' },
  'of a file with a pair': { calls: / > sync /, needed: 'files that others may read' },
  'of the name of a new directory': {
    calls: /^makeDirectory \S+ > /,
    needed: 'a bootstrap in a directory that has to be made, its parent too',
  },
  'of the name of a directory that was there': {
    calls: /^ > syncDirectory (?!pki)/,
    needed: 'a bootstrap in a directory that has to be made, its parent too',
    kills: true,
    covered: 'nobody was killed who made it',
  },
  'of what a start found': {
    calls: /^syncDirectory \S+ > syncDirectory pki$/,
    needed: 'a bootstrap in an empty directory',
    kills: true,
    covered: 'nobody was killed who changed it',
  },
  'of the link that a kubelet was about to put in place': {
    calls: /^rename \S+-updated\.pem \S+ > /,
    needed: 'the directory of a kubelet that ended in the middle of its swap',
  },
  "of a request's name": { calls: /^rename \S+ \S+-request\.json > /, needed: 'a renewal' },
  "of a pair's name": {
    calls: /^rename \S+ \S+Z\.pem > /,
    needed: 'a renewal',
    covered: 'the sync of the name under which a file was kept follows',
  },
  'of the link': {
    calls: /^rename \S+\.tmp \S+-current\.pem > /,
    needed: 'a renewal',
    covered: 'a start makes a first link again, and a sync follows',
  },
  'of the name under which a file is kept': {
    calls: /^link \S+ \S+-kept-\S+ > /,
    needed: 'a file in the place of the link',
  },
  'of the name of a request that was set aside': {
    calls: /^rename \S+ \S+\.unreadable\.json > /,
    needed: 'a request of a newer version',
  },
  'after a request was forgotten': {
    calls: /^unlink \S+-request\.json > /,
    needed: 'a request that is forgotten',
    covered: 'a request with the key of the pair in use is passed over',
  },
}

for (const [what, { calls, needed, kills }] of Object.entries(syncs))
  test(`without the sync ${what} does harm`, { deadline: sample(60_000, 60_000) }, async (context) => {
    const prepared = await prepare(context, scenarios[needed])
    const leftOut = (call: string, _: number, previous: string): boolean =>
      call.startsWith('sync') && calls.test(`${previous} > ${call}`)
    const whole = await playWhole(prepared, { leftOut, most })
    let violation = kills === true ? undefined : await firstViolation(whole, prepared)
    if (kills === true)
      for (let at = 0; at < whole.calls.length && violation === undefined; at += 1)
        violation = await firstViolation(await playKilled(prepared, at, { leftOut, most }), prepared)
    assert.ok(violation !== undefined, `nothing is wrong in ${needed}`)
    console.log(`without the sync ${what}: ${violation}`)
  })

test('without any single sync does harm, or another sync is there for the same', {
  deadline: sample(60_000, 300_000),
}, async (context) => {
  let [left, harmful] = [0, 0]
  for (const scenario of Object.values<Scenario>(scenarios).slice(0, sample(1, 100))) {
    const prepared = await prepare(context, scenario)
    const { calls } = await playWhole(prepared)
    for (const [index, call] of calls.entries()) {
      if (!call.startsWith('sync')) continue
      const both = `${calls[index - 1] ?? ''} > ${call}`
      const played = await playWhole(prepared, { leftOut: (_, at) => at === index, most })
      const violation = await firstViolation(played, prepared)
      const covered = Object.values(syncs).some((sync) => sync.covered !== undefined && sync.calls.test(both))
      assert.ok(violation !== undefined || covered, both)
      left += 1
      if (violation !== undefined) harmful += 1
    }
  }
  note(`${left} syncs, each left out once: ${harmful} do harm, the others are covered`)
})
