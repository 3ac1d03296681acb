import { existsSync, readdirSync, renameSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { hour, minute } from '../../src/model/time.js'
import { assert, eventually, sample, seed, suite, type TestContext } from '../helper/index.js'
import * as answers from './answers.js'
import { diceOf } from './dice.js'
import { openShop, type Shop, startFront } from './front.js'
import type { HttpFault } from './gateway.js'
import { type Agent, patience, startAgent } from './world.js'

const test = suite('a rotation with the real adapters, in a random world', { together: 4 })

let shop: Shop | undefined
test.before(async () => {
  shop = await openShop()
})

const faults: readonly [HttpFault, ...ReadonlyArray<HttpFault>] = [
  answers.status(401, 'Unauthorized'),
  answers.status(403, 'forbidden'),
  answers.status(404, 'not here'),
  answers.status(422, 'no'),
  answers.status(429, 'slow', { headers: { 'retry-after': '3600' } }),
  answers.status(503, 'starting'),
  answers.web,
  answers.reset,
  answers.resetInsteadOfAnswer,
  answers.resetWithinAnswer,
  answers.resetAfterAnswer,
  answers.broken,
  answers.striking(answers.watches, answers.stream('{"type":"MOD', 'is reset')),
  answers.striking(answers.watches, answers.stream('')),
  answers.striking(answers.watches, answers.status(410, 'expired')),
]

const run = async (context: TestContext, number: number): Promise<void> => {
  if (shop === undefined) throw new Error('the shop is closed')
  const dice = diceOf(number)
  const { world, door, place } = await startFront(context, shop)
  const { clock, controlPlane } = world
  const directory = await context.temporaryDirectory()
  const pki = join(directory, 'pki')
  const keys: Array<string> = []
  const journal: Array<string> = []
  let agent: Agent | undefined
  const start = async (): Promise<Agent> => {
    const started = await startAgent(context, world, place, directory, 'a', {
      policy: { submitInterval: 10_000 },
    })
    started.rotation.credentials.subscribe(() => {
      const current = started.rotation.current()
      if (current !== undefined && keys.at(-1) !== current.keyId) keys.push(current.keyId)
    })
    return started
  }
  const step = async (): Promise<string> => {
    const what = dice.below(10)
    if (what < 4) door.set(dice.pick(faults))
    else if (what < 5) door.set(undefined)
    else if (what < 6) clock.set(dice.pick([-hour, -minute, hour, 30 * hour]))
    else if (what < 7) agent?.rotation.rotateNow()
    else if (what < 8) {
      await agent?.rotation.stop()
      agent = await start()
    } else if (what < 9) {
      dice.pick([
        controlPlane.approval.hold,
        controlPlane.signing.hold,
        controlPlane.compact,
        controlPlane.clean,
      ])()
    } else if (existsSync(pki) && dice.chance(0.5)) renameSync(pki, join(directory, `gone-${journal.length}`))
    else if (existsSync(pki))
      for (const name of readdirSync(pki).filter((one) => one.endsWith('Z.pem')))
        truncateSync(join(pki, name), 300)
    return String(what)
  }

  try {
    agent = await start()
    for (let count = 0; count < 12; count += 1) {
      const before = agent.rotation.current()
      const running: Agent = agent
      journal.push(await step())
      await new Promise((resolve) => setTimeout(resolve, 10 + dice.below(60)))
      if (running !== agent || before === undefined || before.notAfter.getTime() <= clock.now()) continue
      assert.ok(agent.rotation.current(), 'a certificate that has not expired is in use')
    }
    journal.push('everything works again')
    door.set(undefined)
    controlPlane.approval.resume()
    controlPlane.signing.resume()
    const { rotation } = agent
    const works = () => rotation.state()._tag === 'Issued' && rotation.current()
    const before = await eventually('there is a certificate', works, patience)
    rotation.rotateNow()
    await eventually('it is renewed', () => rotation.current()?.keyId !== before.keyId && works(), patience)
    assert.is(new Set(keys).size, keys.length, 'each rotation has a key of its own')
    await rotation.stop()
    assert.equal(
      readdirSync(pki).filter((name) => !/^kubelet-client-(current|[-0-9TZ]+)\.pem$/.test(name)),
      [],
      'nothing is left lying about',
    )
  } catch (error) {
    const told = agent?.told.map(({ reason, message }) => `${reason}: ${message}`) ?? []
    throw new Error(
      `${error instanceof Error ? error.message : error}; to replay: SEED=${number} npm test -- faults/real\n${journal.join(' ')}\n${told.slice(-15).join('\n')}\n${agent?.rotation.explain()}`,
    )
  }
}

for (let number = seed; number < seed + sample(3, 100); number += 1)
  test(`is renewed in the end (${number})`, { deadline: 120_000 }, (context) => run(context, number))
