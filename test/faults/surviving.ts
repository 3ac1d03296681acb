/** The story of each fault: it strikes the bootstrap and then the renewal, is told, harms nothing, and is got over. */

import type { Transition } from '../../adapters/node/index.js'
import type { FailureTag } from '../../src/model/failure.js'
import { second } from '../../src/model/time.js'
import { assert, eventually, type TestContext } from '../helper/index.js'
import { type Agent, type Place, patience, startAgent, type World } from './world.js'

export interface Trouble {
  /** Begins, for the API as the agent finds it. */
  readonly begin: (agent: Agent | undefined) => unknown
  readonly end: (agent: Agent) => unknown
  /** What the agent calls it. */
  readonly reason: FailureTag
  /** Something that its words say. */
  readonly says: RegExp
  /** Where a bootstrap stands meanwhile, if not there. */
  readonly state?: 'Pending' | 'Approved'
}

/** Whether a person can read it: whole clauses on one line, the cure after the trouble. */
export const readsWell = ({ message }: Transition): void => {
  const [what = '', remedy = '', next = ''] = message.split('; ').slice(-3)
  assert.match(next, /^the next attempt is in \S+/)
  assert.ok(what.length > 10 && remedy.length > 3, `says what and what to do: ${message}`)
  assert.not.match(message, /\p{Cc}|\.;|\.$|undefined|\[object/u)
  assert.ok(message.length < 1_000, `is short: ${message.length}`)
  for (const clause of message.split('; ')) assert.match(clause, /^(?:[^A-Z]|GET|POST|HTTP|TLS)/)
}

/** No two failures without time between them. */
const areApart = (told: ReadonlyArray<Transition>): void => {
  const failures = told.filter(({ level }) => level !== 'info').map(({ at }) => at.getTime())
  for (const [index, at] of failures.entries())
    assert.ok(index === 0 || at - (failures[index - 1] ?? 0) >= second / 2, 'failures are apart')
}

export const survive = async (
  context: TestContext,
  world: World,
  place: Place,
  { begin, end, reason, says, state }: Trouble,
): Promise<Agent> => {
  const directory = await context.temporaryDirectory()
  await begin(undefined)
  const agent = await startAgent(context, world, place, directory, 'a')
  const { rotation, told, tells } = agent
  await begin(agent)
  const first = await tells(reason)
  assert.match(first.message, says)
  readsWell(first)
  assert.is(first.to, state ?? 'Bootstrapping')
  assert.is(rotation.current(), undefined)
  await end(agent)
  const before = await rotation.issued()

  const seen = told.length
  await begin(agent)
  rotation.rotateNow()
  const second = await tells(reason, seen)
  assert.match(second.message, says)
  readsWell(second)
  assert.is(rotation.current()?.serialNumber, before.serialNumber, 'the old certificate stays in use')
  await end(agent)
  const after = await eventually(
    'the certificate is renewed',
    () => {
      const current = rotation.current()
      return current?.serialNumber !== before.serialNumber && rotation.state()._tag === 'Issued'
        ? current
        : undefined
    },
    patience,
  )
  assert.is.not(after.keyId, before.keyId)
  areApart(told)
  const left = world.controlPlane.requests().filter(({ status }) => status.certificate === undefined)
  assert.is(world.issued().length, 2, `issued: ${world.issued()}`)
  assert.is(left.length, 0, 'no request is left over')
  return agent
}
