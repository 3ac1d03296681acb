/** What is known about a certificate directory: what lies in it, who has it open, and what that process says. */
import { readdir } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { readSnapshot, type Snapshot } from '../../src/describe/snapshot.js'
import { keyring } from '../../src/driver/keyring.js'
import { type Found, load } from '../../src/driver/load.js'
import { type Facts, noFacts } from '../../src/machine/facts.js'
import { evolve } from '../../src/machine/machine.js'
import type { StoreError } from '../../src/model/failure.js'
import { defaultPolicy, type RotationPolicy } from '../../src/model/policy.js'
import type { Draft } from '../../src/model/request.js'
import type { Instant } from '../../src/model/time.js'
import { cryptoBackend } from '../crypto/index.js'
import {
  askHolderOfCertificateDirectory,
  type Holder,
  holderOfCertificateDirectory,
  type LockHolder,
  readCertificateDirectory,
} from '../filesystem/index.js'
import { fromBundle } from '../node/trust.js'
import { wallClock } from '../platform/clock.js'

/** `silent`: it does not say who it is. */
export type Agent = Omit<Holder, 'holds'> | { readonly silent: true }

/** A directory and prefix at a time. */
export interface Situation {
  readonly now: Instant
  /** Those of the agent where it says so, otherwise what the files alone tell. */
  readonly policy: RotationPolicy
  readonly facts: Facts
  readonly draft: O.Option<Draft>
  /** Who has the directory open; null: nobody; undefined: that cannot be asked. */
  readonly agent: Agent | null | undefined
  /** What the agent says; undefined: nobody does. */
  readonly snapshot: Snapshot | undefined
  readonly warnings: ReadonlyArray<string>
}

export interface Inquiry {
  readonly certDir: string
  /** What the files begin with; `kubelet-client` if not given. */
  readonly certPrefix?: string
  readonly clientCaFile?: string
}

export const defaultPrefix = 'kubelet-client'

/** Reads the directory, and asks who has it open. Changes nothing. */
export const inquire = async ({
  certDir,
  certPrefix = defaultPrefix,
  clientCaFile,
}: Inquiry): Promise<E.Either<StoreError, Situation>> => {
  const directory = { directory: certDir, prefix: certPrefix }
  const ports = {
    store: { load: readCertificateDirectory(directory) },
    crypto: cryptoBackend,
    clock: wallClock,
    ...(clientCaFile === undefined ? {} : { trust: fromBundle(clientCaFile) }),
  }
  const found = await load(ports, keyring())()
  if (E.isLeft(found)) return found
  const taken = await holderOfCertificateDirectory(directory)()
  const agent = E.isLeft(taken) ? undefined : agentOf(taken.right)
  const said = agent === undefined || agent === null ? undefined : await askForSnapshot(directory)
  return E.right({
    ...situationOf(found.right, said, wallClock.now()),
    agent,
    warnings: [
      ...found.right.warnings,
      ...(E.isLeft(taken) ? [`${taken.left.message}; ${taken.left.remedy}`] : []),
    ],
  })
}

const askForSnapshot = async (
  directory: Parameters<typeof askHolderOfCertificateDirectory>[0],
): Promise<Snapshot | undefined> => {
  const answer = await askHolderOfCertificateDirectory(directory, { ask: 'snapshot' })()
  if (E.isLeft(answer) || O.isNone(answer.right)) return undefined
  const snapshot = readSnapshot(answer.right.value)
  return E.isLeft(snapshot) ? undefined : snapshot.right
}

/** Nothing is asked of a server by who only looks. */
const policyOfFiles = { ...defaultPolicy, probeInterval: 0 }

const situationOf = ({ held, draft }: Found, snapshot: Snapshot | undefined, now: Instant) => {
  const known = O.toUndefined(snapshot?.known ?? O.none)
  if (known !== undefined) {
    // What the file of CAs that was named says, only this process knows.
    const facts =
      O.isSome(known.facts.held) && O.isSome(held) ? withVerification(known.facts, held) : known.facts
    return { now, policy: known.policy, facts, draft, snapshot }
  }
  const wanted = O.map(({ template }: Draft) => template)(draft)
  const facts = evolve(policyOfFiles)(noFacts(wanted), { _tag: 'Loaded', at: now, held, draft })
  return { now, policy: policyOfFiles, facts, draft, snapshot }
}

const withVerification = (
  facts: Facts,
  { value: onDisk }: Extract<Facts['held'], { _tag: 'Some' }>,
): Facts => ({
  ...facts,
  held: O.map((inUse: typeof onDisk) =>
    inUse.certificate.keyId === onDisk.certificate.keyId
      ? { ...inUse, verification: onDisk.verification }
      : inUse,
  )(facts.held),
})

const agentOf = (taken: O.Option<LockHolder>): Agent | null => {
  if (O.isNone(taken)) return null
  if (taken.value.holder === undefined) return { silent: true }
  const { program, hostname, pid, since } = taken.value.holder
  return { program, hostname, pid, since }
}

/** The prefixes that have something in a directory: the kubelet's client certificate, its serving certificate, others. */
export const prefixesIn = async (certDir: string): Promise<ReadonlyArray<string>> => {
  const names = await readdir(certDir).catch((): ReadonlyArray<string> => [])
  const found = names.flatMap((name) => {
    const [, prefix] = /^(.+)(?:-current\.pem|\.lock-[0-9a-f]{16})$/.exec(name) ?? []
    return prefix === undefined ? [] : [prefix]
  })
  return found.length === 0 ? [defaultPrefix] : [...new Set(found)].sort()
}
