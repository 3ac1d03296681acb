import { apiErrors, type MemoryPorts, storeErrors, trustErrors } from '../../adapters/memory/index.js'
import type { ApiError, StoreError, TrustError } from '../../src/index.js'
import { hour } from '../../src/index.js'
import { option, pick } from './words.js'

const api: Readonly<Record<string, ApiError | 'silence'>> = {
  ...apiErrors,
  unavailable: apiErrors.unavailable(),
  /** With `Retry-After: 36000`. */
  overloaded: apiErrors.unavailable(10 * hour),
  silence: 'silence',
}
const trust: Readonly<Record<string, TrustError | 'silence'>> = { ...trustErrors, silence: 'silence' }
const store: Readonly<Record<string, StoreError | 'silence'>> = { ...storeErrors, silence: 'silence' }

/** Injects `api|store|trust ERROR …` (see world.ts); the answer mends it. */
export const faultOf = (ports: MemoryPorts, args: ReadonlyArray<string>): (() => void) => {
  const [where, what] = args
  const operation = option(args, 'on')
  const who = option(args, 'as')
  const serial = option(args, 'certificate')
  const times = option(args, 'times')
  const extent = {
    ...(times === undefined ? {} : { times: Number(times) }),
    afterwards: args.includes('afterwards'),
  }
  const is = (wanted: string | undefined, real: string | undefined) => wanted === undefined || wanted === real
  return pick(where, {
    trust: () => ports.trust.inject({ ...extent, answer: pick(what, trust) }),
    api: () =>
      ports.requests.inject({
        ...extent,
        when: (call) => is(operation, call.verb) && is(who, call.as) && is(serial, call.serialNumber),
        answer: pick(what, api),
      }),
    store: () =>
      ports.store.inject({
        ...extent,
        when: (call) => is(operation, call.operation),
        answer: pick(what, store),
      }),
  })()
}
