/**
 * Every port in memory, with a clock that moves when it is told to: for the tests of whoever embeds a rotation.
 *
 * ```ts
 * const now = instant(Date.parse('2026-01-01T00:00:00Z'))
 * const memory = memoryPorts({ now, api: { signingDuration: day } })
 * const template = O.some(kubeletClientTemplate('a'))
 * const agent = rotation({ policy: defaultPolicy, template, ports: memory, notify: () => {} })
 * const stop = new AbortController()
 * const ended = agent.run(stop.signal)()
 * await memory.clock.settle()
 * assert.is(agent.state()._tag, 'Issued') // the API approves and signs unless it is told otherwise
 *
 * memory.requests.set({ autoApprove: false })
 * await memory.clock.advanceBy(22 * hour) // past nine tenths of its life
 * assert.is(agent.state()._tag, 'Pending')
 * memory.requests.approve()
 * await memory.clock.settle()
 * assert.is(agent.state()._tag, 'Issued')
 * assert.is(memory.store.contents().pairs.length, 2)
 *
 * stop.abort()
 * await ended
 * ```
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Ports } from '../../src/driver/perform.js'
import type { Instant } from '../../src/model/time.js'
import type { CryptoBackend, KeyHandle, StoreContents } from '../../src/ports.js'
import type { ServerLimits } from '../../src/simulator/scenario.js'
import {
  aFunction,
  being,
  type Checks,
  demand,
  having,
  listOf,
  number,
  oneOf,
  record,
  text,
  yesOrNo,
} from '../platform/options.js'
import { type VirtualClock, virtualClock } from './clock.js'
import { type MemoryCrypto, memoryCrypto } from './crypto.js'
import { type MemoryApi, memoryApi } from './requests.js'
import type { ApiSettings, Signer } from './server.js'
import { type MemoryStore, memoryStore } from './store.js'
import { type MemoryTrust, memoryTrust, type TrustSettings } from './trust.js'

export { run } from '../platform/promise.js'
export { type VirtualClock, virtualClock } from './clock.js'
export { type CryptoOperation, type MemoryCrypto, type MemoryCryptoOptions, memoryCrypto } from './crypto.js'
export { apiErrors, cryptoErrors, type Fault, type Inject, storeErrors } from './faults.js'
export {
  authoritiesPem,
  certificatePem,
  keyIdOf,
  keyPem,
  type PairParts,
  readCertificate,
  readKey,
  readRequest,
  requestPem,
  storedPair,
} from './format.js'
export { type ApiCall, type ApiRecord, type MemoryApi, memoryApi } from './requests.js'
export type { ApiServer, ApiSettings, Signer, StoredRequest } from './server.js'
export { type MemoryStore, memoryStore, type StoreCall, type StoreRecord } from './store.js'
export { type MemoryTrust, memoryTrust, type TrustSettings, trustErrors } from './trust.js'

export interface MemoryPorts extends Ports {
  readonly clock: VirtualClock
  readonly crypto: MemoryCrypto
  readonly store: MemoryStore
  readonly requests: MemoryApi
  readonly trust: MemoryTrust
  /**
   * Whoever uses these ports now is never heard of again, as when the process is killed; what is stored stays. The
   * next rotation starts on the same ports.
   */
  readonly crash: () => void
}

export interface MemoryPortsOptions {
  readonly now: Instant
  readonly api?: Partial<ApiSettings>
  readonly store?: Partial<StoreContents>
  readonly trust?: Partial<TrustSettings>
  /**
   * Real keys and certificates, for what opens TLS connections with them: `cryptoBackend` and `signerBy(authority)` of
   * the crypto adapter. The authority is called as `api.issuer` says: `memory` if not given. TLS goes by the real time.
   */
  readonly real?: { readonly crypto: CryptoBackend; readonly sign: Signer }
}

const limits: Checks<ServerLimits> = {
  requestsPerSecond: number,
  seats: number,
  queue: number,
  retryAfter: number,
  latency: number,
  watches: number,
}

const apiSettings: Checks<ApiSettings> = {
  autoApprove: yesOrNo,
  autoSign: yesOrNo,
  signingDuration: number,
  flavour: oneOf('1.20', '1.22'),
  issuer: text,
  skew: number,
  bootstrap: yesOrNo,
  limits: record(limits),
}

const option = being('an Option of fp-ts', (value) => O.isSome(Object(value)) || O.isNone(Object(value)))

const contents: Checks<StoreContents> = {
  pairs: listOf(being('a stored pair', (value) => Object(value) === value)),
  request: option,
  warnings: listOf(text),
}
const trusted: Checks<TrustSettings> = { required: yesOrNo, authorities: option }

const fields: Checks<MemoryPortsOptions> = {
  now: number,
  api: record(apiSettings),
  store: record(contents),
  trust: record(trusted),
  real: record(
    { crypto: having('a crypto backend', 'generateKey', 'restoreKey', 'parseChain'), sign: aFunction },
    ['crypto', 'sign'],
  ),
}

/** A small world: a clock, keys, a disk and an API server. */
export const memoryPorts = (options: MemoryPortsOptions): MemoryPorts => {
  demand('memoryPorts', record(fields, ['now']), options)
  const { now, api, store, trust, real } = options
  const clock = virtualClock(now)
  const requests = memoryApi(
    clock,
    api,
    real && ((request, parameters) => clock.during(real.sign(request, parameters))),
  )
  return {
    clock,
    crypto: memoryCrypto(real && { backend: during(clock, real.crypto) }),
    store: memoryStore(store),
    requests,
    trust: memoryTrust(trust),
    crash: () => {
      clock.forgetSleepers()
      requests.forgetWatchers()
    },
  }
}

/** The same backend, whose real work a virtual clock waits for. */
const during = ({ during: waitedFor }: VirtualClock, backend: CryptoBackend): CryptoBackend => {
  const handle = (key: KeyHandle): KeyHandle => ({
    ...key,
    createRequest: (names) => waitedFor(key.createRequest(names)),
  })
  return {
    generateKey: (algorithm) => waitedFor(pipe(backend.generateKey(algorithm), TE.map(handle))),
    restoreKey: (stored) => waitedFor(pipe(backend.restoreKey(stored), TE.map(handle))),
    parseChain: (pem) => waitedFor(backend.parseChain(pem)),
    verifyChain: (...given) => waitedFor(backend.verifyChain(...given)),
    sha256: (text) => waitedFor(backend.sha256(text)),
  }
}
