/** The serving certificate that `run --rotate-server-certificates` keeps beside the client certificate. */
import * as E from 'fp-ts/lib/Either.js'
import type { KeyAlgorithm } from '../../src/model/key-algorithm.js'
import { listed, readKeyAlgorithm } from './certificate-flags.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'

export const servingFlags = {
  'rotate-server-certificates': {
    help: 'keep the serving certificate too; somebody has to approve it (default false)',
  },
  'server-addresses': {
    value: 'SOURCE',
    help: 'its names: node (those of the Node object, default), interfaces, interfaces=eth0,…, a list',
  },
  'server-key-algorithm': { value: 'KIND', help: 'kind of its private key (default ECDSA-P256)' },
} satisfies Flags<string>

/** What the serving certificate is to be. */
export interface Serving {
  readonly source:
    | { readonly _tag: 'node' }
    | { readonly _tag: 'interfaces' | 'list'; readonly names: ReadonlyArray<string> }
  readonly keyAlgorithm?: KeyAlgorithm
}

/** The serving certificate that the flags ask for. */
export const readServing = (given: Given<keyof typeof servingFlags>): E.Either<UsageError, Serving> => {
  const keyAlgorithm = readKeyAlgorithm('server-key-algorithm', given['server-key-algorithm'])
  if (E.isLeft(keyAlgorithm)) return keyAlgorithm
  const text = given['server-addresses'] ?? 'node'
  const key = keyAlgorithm.right === undefined ? {} : { keyAlgorithm: keyAlgorithm.right }
  if (text === 'node') return E.right({ source: { _tag: 'node' }, ...key })
  const interfaces = /^interfaces(?:=(.*))?$/.exec(text)
  const names = listed(interfaces === null ? text : interfaces[1])
  const wrong = names.find((name) => !/^[\w.:*%-]+$/.test(name))
  if (wrong !== undefined || (interfaces === null && names.length === 0))
    return E.left(
      usageError(
        `--server-addresses=${text} cannot be read`,
        'write node, interfaces, interfaces=eth0,eth1 or a list such as 10.0.0.5,worker-1.example.com',
      ),
    )
  return E.right({ source: { _tag: interfaces === null ? 'list' : 'interfaces', names }, ...key })
}
