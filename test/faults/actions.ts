/** What can be done to an agent's world, at random: faults of its ports, decisions of the server, news. */
import * as O from 'fp-ts/lib/Option.js'
import {
  apiErrors,
  cryptoErrors,
  keyIdOf,
  type memoryPorts,
  storeErrors,
} from '../../adapters/memory/index.js'
import {
  after,
  type Certificate,
  day,
  hour,
  type Instant,
  minute,
  type News,
  second,
} from '../../src/index.js'
import type { Dice } from './dice.js'

export interface Reach {
  readonly dice: Dice
  readonly ports: ReturnType<typeof memoryPorts>
  readonly tell: (news: News) => void
  readonly heldKey: () => string | undefined
  readonly serverTime: () => Instant
}

/** What can be done to an agent's world. */
export const actions = ({ dice, ports, tell, heldKey, serverTime }: Reach) => {
  const { requests: api, store, crypto } = ports
  const strikes = () => ({
    ...(dice.chance(0.5) ? { times: 1 + dice.below(4) } : {}),
    ...(dice.chance(0.4) ? { afterwards: true } : {}),
  })

  const fault = (): readonly [string, () => void] => {
    const kind = dice.below(10)
    if (kind < 6) {
      const verb = dice.pick(['submit', 'observe', 'probe', undefined] as const)
      const as = dice.pick(['held', 'bootstrap', undefined, undefined] as const)
      const answer = dice.pick([
        apiErrors.unreachable,
        apiErrors.unavailable(),
        apiErrors.unavailable(dice.pick([second, hour, 400 * day])),
        apiErrors.unauthorized,
        apiErrors.noCredential,
        apiErrors.forbidden,
        apiErrors.invalid,
        apiErrors.notServed,
      ])
      const when = (call: { readonly verb: string; readonly as: string }) =>
        (verb === undefined || call.verb === verb) && (as === undefined || call.as === as)
      const more = strikes()
      return [
        `api ${verb} ${as} ${answer._tag} ${JSON.stringify(more)}`,
        api.inject({ answer, when, ...more }),
      ]
    }
    if (kind < 9) {
      const operation = dice.pick(['saveRequest', 'discardRequest', 'install', 'load', undefined] as const)
      const answer = operation === 'load' ? storeErrors.unreadable : storeErrors.full
      const when = (call: { readonly operation: string }) =>
        operation === undefined ? call.operation !== 'load' : call.operation === operation
      const more = strikes()
      return [`store ${operation} ${JSON.stringify(more)}`, store.inject({ answer, when, ...more })]
    }
    const operation = dice.pick(['generateKey', 'createRequest', 'forStorage', 'forTls'] as const)
    const when = (call: string) => call === operation
    return [
      `crypto ${operation}`,
      crypto.inject({ answer: cryptoErrors.keyUnavailable, when, times: 1 + dice.below(3) }),
    ]
  }

  const serverActs = (): string => {
    const waiting = api.requests().filter(({ condition }) => ['Pending', 'Approved'].includes(condition._tag))
    const request = waiting.at(-1)
    if (request === undefined) return 'nothing is waiting'
    const { name, condition } = request
    const now = serverTime()
    const what = dice.below(10)
    if (what < 2) api.delete(name)
    else if (what < 3) api.recreate(name)
    else if (condition._tag === 'Pending' && what < 5) api.deny('Because', 'of the dice', name)
    else if (condition._tag === 'Pending') api.approve(name)
    else if (what < 5) api.fail('SignerValidationFailure', 'of the dice', name)
    else if (what < 6) api.attach('no certificate', name)
    else {
      const changes: readonly [Partial<Certificate>, ...ReadonlyArray<Partial<Certificate>>] = [
        {},
        {},
        { keyId: keyIdOf('somebody else') },
        { commonName: 'system:node:b' },
        { notAfter: after(now, -second) },
        { notAfter: after(now, 20 * second) },
        { notBefore: after(now, 10 * minute), notAfter: after(now, day) },
        { extendedKeyUsages: O.some(['server auth']) },
      ]
      api.sign(dice.pick(changes), name)
    }
    return `server acts (${what})`
  }

  const serverChanges = (): string => {
    const what = dice.below(6)
    if (what === 0) api.set({ autoApprove: dice.chance(0.5) })
    if (what === 1) api.set({ autoSign: dice.chance(0.5) })
    if (what === 2) api.set({ signingDuration: dice.pick([minute, 10 * minute, hour, day, 365 * day]) })
    if (what === 3) api.set({ bootstrap: dice.chance(0.5) })
    if (what === 4) api.set({ issuer: dice.pick(['memory', 'another', 'a third']) })
    if (what === 5) api.set({ flavour: dice.pick(['1.20', '1.22']) })
    return `server changes (${what})`
  }

  const news = (): string => {
    const keyId = heldKey() ?? keyIdOf('nobody')
    const asked: News = { _tag: 'RotationRequested', why: 'the trust changed' }
    const judged: News = { _tag: dice.pick(['CredentialRejected', 'CredentialAccepted']), keyId }
    const one = dice.chance(0.4) ? asked : judged
    tell(one)
    return `news ${one._tag}`
  }
  return { fault, serverActs, serverChanges, news }
}
