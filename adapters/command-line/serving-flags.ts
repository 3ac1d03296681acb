/** The serving certificate that `run --rotate-server-certificates` keeps beside the client certificate. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { canonicalAddress } from '../../src/model/address.js'
import type { KeyAlgorithm } from '../../src/model/key-algorithm.js'
import { dnsNameProblem } from '../../src/model/template-problems.js'
import { nearest } from '../platform/nearest.js'
import { listed, readKeyAlgorithm } from './certificate-flags.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'

export const servingFlags = {
  'rotate-server-certificates': {
    help: 'keep the serving certificate too; somebody has to approve it (default false)',
  },
  'server-addresses': {
    value: 'SOURCE',
    help: 'its names: node (the Node object, default), interfaces(=eth0,…): after 10s, or a list',
  },
  'server-key-algorithm': { value: 'KIND', help: 'kind of its private key (default ECDSA-P256)' },
} satisfies Flags<string>

/** Where the names and addresses of a serving certificate come from. */
export type AddressChoice =
  | { readonly _tag: 'node' }
  | { readonly _tag: 'interfaces' | 'list'; readonly names: ReadonlyArray<string> }

/** What the serving certificate is to be. */
export interface Serving {
  readonly source: AddressChoice
  readonly keyAlgorithm?: KeyAlgorithm
}

/** What its files begin with, as the kubelet's. */
export const servingPrefix = 'kubelet-server'

/** A name or address of a node, or the name of an interface. */
export const addressPattern = /^[\w.:*%-]+$/

/** The serving certificate that the flags ask for. */
export const readServing = (given: Given<keyof typeof servingFlags>): E.Either<UsageError, Serving> => {
  const keyAlgorithm = readKeyAlgorithm('server-key-algorithm', given['server-key-algorithm'])
  if (E.isLeft(keyAlgorithm)) return keyAlgorithm
  const text = given['server-addresses'] ?? 'node'
  const source = readAddresses(text)
  if (source === undefined)
    return E.left(
      usageError(
        `--server-addresses=${text} cannot be read`,
        /^inter\w*=/i.test(text)
          ? `did you mean interfaces=${text.replace(/^[^=]*=/, '')}?`
          : 'write node, interfaces, interfaces=eth0,eth1 or a list such as 10.0.0.5,worker-1.example.com',
      ),
    )
  const [problem] = addressProblems(source, '--server-addresses')
  if (problem !== undefined) return E.left(problem)
  return E.right({
    source,
    ...(keyAlgorithm.right === undefined ? {} : { keyAlgorithm: keyAlgorithm.right }),
  })
}

const sources = ['node', 'interfaces']

/** What no certificate can be for, and what was meant by a source that is misspelt. */
export const addressProblems = (source: AddressChoice, where: string): ReadonlyArray<UsageError> => {
  if (source._tag !== 'list') return []
  const [only = '', ...others] = source.names
  // Hosts are called node1, and not nodes.
  const meant = others.length === 0 && /^[a-z]+$/i.test(only) ? nearest(only, sources) : undefined
  if (meant !== undefined)
    return [usageError(`${where}=${only} is no source of addresses`, `did you mean ${meant}?`)]
  return source.names.flatMap((name) => {
    const problem = O.isSome(canonicalAddress(name)) ? undefined : dnsNameProblem(name)
    return problem === undefined
      ? []
      : [usageError(`${where}: ${name} ${problem.message}, and no IP address`, problem.remedy)]
  })
}

/** `node`, `interfaces`, `interfaces=eth0,…` or a list with commas. */
export const readAddresses = (text: string): AddressChoice | undefined => {
  if (text === 'node') return { _tag: 'node' }
  const interfaces = /^interfaces(?:=(.*))?$/.exec(text)
  const names = listed(interfaces === null ? text : interfaces[1])
  const isWrong =
    names.some((name) => !addressPattern.test(name)) || (interfaces === null && names.length === 0)
  return isWrong ? undefined : { _tag: interfaces === null ? 'list' : 'interfaces', names }
}
