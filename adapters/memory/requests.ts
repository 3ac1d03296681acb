import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type ApiError, failure, type Interrupted, interrupted } from '../../src/model/failure.js'
import type { Condition, Draft } from '../../src/model/request.js'
import { after, type Instant, instant, wholeSecond } from '../../src/model/time.js'
import type { CertificateSigningRequests, Clock, Identity } from '../../src/ports.js'
import { onSignal, type Signal } from '../../src/signal.js'
import { share } from '../../src/simulator/random.js'
import type { ServerLimits } from '../../src/simulator/scenario.js'
import { type RequestQueue, requestQueue } from '../../src/simulator/server.js'
import { salts } from '../../src/simulator/world.js'
import { apiErrors, type Faults, faults, type Inject, struck } from './faults.js'
import { type ApiServer, type ApiSettings, apiServer, type Signer } from './server.js'

/** A call of the API. */
export interface ApiCall {
  readonly verb: 'submit' | 'observe' | 'probe'
  readonly as: 'held' | 'bootstrap' | 'external'
  /** Of the certificate, when called with the held one. */
  readonly serialNumber?: string
  /** The request's name; a probe has none. */
  readonly name?: string
}

/** A call, when it came, and its answer: a condition, `accepted`, an error's tag, `silence` while there is none. */
export interface ApiRecord extends ApiCall {
  readonly at: Instant
  readonly answer: string
}

/** A CertificateSigningRequest API in memory: the port, the server behind it, and what was asked of it. */
export interface MemoryApi extends CertificateSigningRequests, ApiServer {
  /** Every call so far; it grows. */
  readonly records: ReadonlyArray<ApiRecord>
  /** Also ends open watches that it strikes. */
  readonly inject: Inject<ApiCall, ApiError>
  /** Open watches are never answered, as when the process that watches is killed. */
  readonly forgetWatchers: () => void
}

type Answer<A> = E.Either<ApiError | Interrupted, A>
const gone = { _tag: 'Gone' } as const
const reach = () => E.right(undefined)

/** An API server without requests that goes by the clock; unless told otherwise it approves at once, for a year. */
export const memoryApi = (clock: Clock, initial: Partial<ApiSettings> = {}, signer?: Signer): MemoryApi => {
  const records: Array<ApiRecord> = []
  /** Who waits for news of which request. */
  const watchers = new Map<string, Array<() => void>>()
  let served = 0
  let queue: { readonly limits: ServerLimits; readonly of: RequestQueue } | undefined

  const changed = (name: string) => {
    const waiting = watchers.get(name) ?? []
    watchers.delete(name)
    for (const look of waiting) look()
  }
  const now = () => after(clock.now(), settings().skew)
  const { settings, find, ...server } = apiServer(now, initial, changed, signer)
  const injected: Faults<ApiCall, ApiError> = faults(() => {
    for (const name of [...watchers.keys()]) changed(name)
  })

  /** Dates and issuer are looked at on every call, as Kubernetes does. */
  const authenticate = (identity: Identity): E.Either<ApiError, void> => {
    const { bootstrap, issuer } = settings()
    if (identity._tag === 'Bootstrap') return bootstrap ? E.right(undefined) : E.left(apiErrors.noCredential)
    if (identity._tag === 'External') return E.right(undefined)
    const { certificate } = identity.credential
    return certificate.issuer === issuer && certificate.notBefore <= now() && now() < certificate.notAfter
      ? E.right(undefined)
      : E.left(apiErrors.unauthorized)
  }

  const authenticated = async <A>(
    call: ApiCall,
    identity: Identity,
    signal: Signal,
    work: () => E.Either<ApiError, A>,
  ): Promise<E.Either<ApiError, A>> => {
    const { limits } = settings()
    if (limits !== undefined) {
      const waited = await wait(limits, signal)
      if (E.isLeft(waited)) return waited
    }
    return struck(injected, call, () => {
      const known = authenticate(identity)
      return E.isLeft(known) ? known : work()
    })
  }

  /** Waits until the server has served one more request, as the simulator's does; it may refuse it. */
  const wait = async (limits: ServerLimits, signal: Signal): Promise<E.Either<ApiError, void>> => {
    if (queue?.limits !== limits) queue = { limits, of: requestQueue(limits) }
    served += 1
    const end = queue.of.arrive(clock.now(), share(0, 0, salts.service, served), 0)
    const answered = after(instant(Math.ceil(end < 0 ? clock.now() : end)), limits.latency)
    await clock.sleepUntil(answered, signal)()
    return end < 0 ? E.left(apiErrors.overloaded(limits.retryAfter)) : E.right(undefined)
  }

  /** Answers a call and writes it down; a caller that gives up gets `Interrupted`. */
  const answer = <A>(
    call: ApiCall,
    signal: Signal,
    work: () => Promise<Answer<A>>,
    inWords: (value: A) => string,
  ): Promise<Answer<A>> =>
    new Promise((resolve) => {
      const at = clock.now()
      const index = records.push({ ...call, at, answer: 'silence' }) - 1
      let answered = false
      const done = (result: Answer<A>) => {
        if (answered) return
        answered = true
        forget()
        records[index] = {
          ...call,
          at,
          answer: E.isRight(result) ? inWords(result.right) : result.left._tag,
        }
        resolve(result)
      }
      const forget = onSignal(signal, () => queueMicrotask(() => done(E.left(interrupted))))
      void work().then(done)
    })

  return {
    ...server,
    records,
    inject: injected.inject,
    forgetWatchers: () => {
      watchers.clear()
    },

    submit: (identity, draft, signal) => () => {
      const call = callOf('submit', identity, draft.name)
      const submit = () => {
        const there = find(draft.name)
        if (there !== undefined && there.pem !== draft.pem) return E.left(nameTaken(draft))
        const { uid, resourceVersion, condition } = there ?? server.create(draft)
        return E.right({ uid, resourceVersion, condition, serverTime: O.some(wholeSecond(now())) })
      }
      return answer(
        call,
        signal,
        () => authenticated(call, identity, signal, submit),
        ({ condition }) => condition._tag,
      )
    },

    observe: (identity, request, known, signal) => () => {
      const call = callOf('observe', identity, request.name)
      const look = (): Condition | typeof gone => {
        const there = find(request.name)
        return there?.uid === request.uid ? there.condition : gone
      }
      /** Waits for something else than `known`. A watch once open lives on when its credential ends. */
      const news = async (reached: E.Either<ApiError, void>): Promise<Answer<Condition | typeof gone>> => {
        if (E.isLeft(reached)) return reached
        const seen = look()
        if (seen._tag !== known) return E.right(seen)
        await new Promise<void>((resolve) => {
          const others = watchers.get(request.name)
          if (others === undefined) watchers.set(request.name, [resolve])
          else others.push(resolve)
        })
        return signal.aborted ? E.left(interrupted) : news(await struck(injected, call, reach))
      }
      return answer(
        call,
        signal,
        async () => news(await authenticated(call, identity, signal, reach)),
        ({ _tag }) => _tag,
      )
    },

    probe: (identity, signal) => () => {
      const call = callOf('probe', identity)
      return answer(
        call,
        signal,
        () => authenticated(call, identity, signal, reach),
        () => 'accepted',
      )
    },
  }
}

const callOf = (verb: ApiCall['verb'], identity: Identity, name?: string): ApiCall => ({
  verb,
  ...(identity._tag === 'Held'
    ? { as: 'held', serialNumber: identity.credential.certificate.serialNumber }
    : { as: identity._tag === 'Bootstrap' ? 'bootstrap' : 'external' }),
  ...(name === undefined ? {} : { name }),
})

const nameTaken = ({ name }: Draft): ApiError =>
  failure(
    'NameTaken',
    'soon',
    `there is another request called ${name} (memory)`,
    'nothing: a new key and name follow',
  )
