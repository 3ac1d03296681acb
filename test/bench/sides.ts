/** Ways for a client to take a new certificate: the sides that the connections benchmark compares. */
import * as O from 'fp-ts/lib/Option.js'
import { follow, variable } from '../../adapters/connections/index.js'
import { credential, credentialSource, type Pair } from '../adapters/connections/pki.js'
import type { Client, Stack } from './stacks.js'
import type { Target } from './target.js'

/** A client at work, and word of a new certificate. */
export interface Side extends Client {
  readonly change: (next: Pair) => void
}

export interface Contender {
  readonly name: string
  /** It goes on with its first certificate. */
  readonly stays?: true
  readonly start: (target: Target, pair: Pair) => Side
}

/** The client keeps the certificate that it began with. */
export const fixed = ({ fixed: open }: Pick<Stack, 'fixed'>, name = 'fixed certificate'): Contender => ({
  name,
  stays: true,
  start: (target, pair) => ({ ...open(target, pair), change: () => {} }),
})

/**
 * What has to be paid in any case, by the same stack alone: at each change another client is made for the requests that
 * follow, and the one before is closed when the last of its own is done.
 */
export const madeAnew = ({ fixed: open }: Stack): Contender => ({
  name: 'client made anew',
  start: (target, pair) => {
    const begin = (its: Pair) => ({ client: open(target, its), running: 0, retired: false })
    let current = begin(pair)
    const settle = (one: typeof current) => {
      if (one.retired && one.running === 0) one.client.close?.()
    }
    return {
      get: async () => {
        const one = current
        one.running += 1
        try {
          return await one.client.get()
        } finally {
          one.running -= 1
          settle(one)
        }
      },
      change: (next) => {
        const before = current
        current = begin(next)
        before.retired = true
        settle(before)
      },
      close: () => current.client.close?.(),
    }
  },
})

/** Ours. */
export const followed = ({ followed: open }: Pick<Stack, 'followed'>): Contender => ({
  name: 'followed',
  start: (target, pair) => {
    const source = credentialSource(pair)
    const following = follow({ credentials: source, trust: variable(O.some(target.ca)) })
    const { get, close } = open(following, target)
    return {
      get,
      change: (next) => source.set(O.some(credential(next))),
      close: async () => {
        // Closes what is idle, also where nothing else does.
        source.set(O.none)
        await close?.()
        following.close()
      },
    }
  },
})

/** All that a stack is compared with, what stays first. */
export const sidesOf = (stack: Stack): ReadonlyArray<Contender> => [
  fixed(stack),
  madeAnew(stack),
  followed(stack),
]
