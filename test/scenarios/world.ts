/**
 * What transcripts are played on: the real core and the real loop, with everything else in memory.
 *
 *     the machine   node NAME | template dns NAME... | template none | template back | policy KEY VALUE
 *     the agent     start | stop | crash | rotate | trust changed | refused | accepted | status | log
 *     the files     kubeconfig readonly|writable (for the cluster that is adopted)
 *     the CAs       trust required|expected NAME... (what certificates are compared with)
 *     windows       window START END [because "…"] | window none (from the next start on, they are asked for)
 *     time          at TIME | advance DURATION | suspend DURATION (nothing runs) | clock back|ahead DURATION (only ours)
 *     the API       api KEY VALUE | api down | api up | approve | deny because "…" | fail because "…"
 *                   sign [lasting D] [starting-in D] [for-another-key] [named NAME] [by CA] | attach "…"
 *                   delete | recreate | occupy (somebody else takes the name of the saved request)
 *     trouble       fault api|store|trust ERROR|silence [on OPERATION] [as WHO] [certificate SERIAL] [times N] [afterwards]
 *                   mend | disk full | disk free
 *
 * `quietly COMMAND` keeps what happened to itself. `sign`, `approve` and the like are for the newest request. Each command answers with what happened (see trace.ts)
 * and what the machine is about to do; `status` answers with all there is to know, `log` with what was logged since the
 * last `log`. A cluster that is adopted (a server that was untrusted) mends what was wrong.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type ApiSettings, keyIdOf, memoryPorts, requestPem } from '../../adapters/memory/index.js'
import {
  after,
  type Certificate,
  type CertificateTemplate,
  decide,
  defaultPolicy,
  explain,
  failure,
  hour,
  type Interruption,
  instant,
  interruption,
  kubeletClientTemplate,
  type News,
  type Notice,
  printAction,
  printState,
  type RenewalWindow,
  type RenewalWindows,
  type Rotation,
  type RotationPolicy,
  rfc3339,
  rotation,
  transitionOf,
  wholeSecond,
} from '../../src/index.js'
import { faultOf } from './fault.js'
import { column, shortened, trace } from './trace.js'
import type { Stage } from './transcript.js'
import { duration, moment, onOff, option, pick, words } from './words.js'

type Lines = ReadonlyArray<string>

/** A new world, at the beginning of 2026. */
export const world = (): Stage => {
  const ports = memoryPorts({ now: moment('2026-01-01T00:00:00Z') })
  const { clock, store, requests: api } = ports
  const events = trace(ports)
  let policy: RotationPolicy = defaultPolicy
  let first = kubeletClientTemplate('a')
  let template: O.Option<CertificateTemplate> = O.some(first)
  let agent: Rotation | undefined
  let stop: Interruption = interruption()
  let ended: Promise<void> = Promise.resolve()
  /** How far the server's clock is ahead of ours: ours can be set, the server's is always right. */
  let skew = 0
  let mends: ReadonlyArray<() => void> = []
  let logged: Lines = []
  let writable = true
  const windows = suggestions()

  const running = (): Rotation => {
    if (agent === undefined) throw new Error('the agent is not running')
    return agent
  }
  const tell = (news: News) => running().tell(news)()

  const start = () => {
    const notice = events.notice(policy)
    const notify = (one: Notice) => {
      notice(one)
      logged = [...logged, ...logLines(policy, one)]
    }
    const adoptCluster = async () => {
      if (!writable) return E.left(unwritable)
      events.say('adopt', 'the cluster of the bootstrap kubeconfig')
      mend()
      return E.right(undefined)
    }
    agent = rotation({ policy, template, ports: { ...ports, adoptCluster, ...windows.port() }, notify })
    agent.credentials.subscribe((credential) =>
      events.say(
        'use',
        O.isSome(credential) ? `certificate ${credential.value.certificate.serialNumber}` : 'nothing',
      ),
    )
    stop = interruption()
    ended = agent
      .run(stop.signal)()
      .then((result) => {
        if (E.isRight(result)) return
        events.say('error', result.left.message)
        agent = undefined
      })
  }

  const want = (wanted: O.Option<CertificateTemplate>) => {
    template = wanted
    if (agent !== undefined) tell({ _tag: 'TemplateChanged', template })
  }

  /** News about the certificate that is in use. */
  const judge = (_tag: 'CredentialRejected' | 'CredentialAccepted') => {
    const used = running().credentials.current()
    if (O.isNone(used)) throw new Error('no certificate is in use')
    tell({ _tag, keyId: used.value.certificate.keyId })
  }

  const sign = (args: Lines) => {
    const now = clock.now()
    const lasting = option(args, 'lasting')
    const starting = option(args, 'starting-in')
    const named = option(args, 'named')
    const issuer = option(args, 'by')
    const change: Partial<Certificate> = {
      ...(lasting === undefined ? {} : { notAfter: wholeSecond(after(now, duration(lasting))) }),
      ...(starting === undefined ? {} : { notBefore: wholeSecond(after(now, duration(starting))) }),
      ...(named === undefined ? {} : { commonName: named }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(args.includes('for-another-key') ? { keyId: keyIdOf('another key') } : {}),
    }
    api.sign(change)
  }

  /** Somebody else's request under the name of ours. */
  const occupy = () => {
    const { request } = store.contents()
    if (O.isNone(request)) throw new Error('no request is saved')
    const { draft } = request.value
    api.create({ ...draft, pem: requestPem(draft.template, keyIdOf('somebody else')) })
  }

  const status = (): Lines => {
    const { facts, credentials } = running()
    const now = clock.now()
    const used = credentials.current()
    const { pairs, request } = store.contents()
    const saved = O.isSome(request) ? [`request ${request.value.draft.name}`] : []
    const disk = [
      ...pairs.map(({ location, receivedAt }) => `${location} of ${rfc3339(receivedAt)}`),
      ...saved,
    ]
    const count = (verb: string) => api.records.filter((record) => record.verb === verb).length
    return [
      column('now', rfc3339(now)),
      column('state', printState(policy)(facts(), now)),
      column('says', explain(policy, facts(), now)),
      column('use', O.isSome(used) ? `certificate ${used.value.certificate.serialNumber}` : 'nothing'),
      column('disk', disk.join(', ') || 'empty'),
      column(
        'api',
        api
          .requests()
          .map(({ name, condition }) => `${name} ${condition._tag}`)
          .join(', ') || 'no requests',
      ),
      column('calls', `${count('submit')} submit, ${count('observe')} observe, ${count('probe')} probe`),
    ]
  }

  const commands: Readonly<Record<string, (args: Lines, command: string) => Lines | Promise<void> | void>> = {
    node: ([name = '']) => {
      first = kubeletClientTemplate(name)
      want(O.some(first))
    },
    template: ([kind, ...names]) =>
      pick(kind, {
        dns: () => want(O.some({ ...first, dnsNames: names })),
        none: () => want(O.none),
        back: () => want(O.some(first)),
      })(),
    policy: ([key, value = '']) => {
      policy = { ...policy, ...pick(key, policies)(value) }
    },
    start,
    stop: async () => {
      stop.interrupt()
      await ended
      agent = undefined
    },
    crash: () => {
      ports.crash()
      agent = undefined
    },
    rotate: () => tell({ _tag: 'RotationRequested', why: 'requested by the embedder' }),
    kubeconfig: ([how]) => {
      writable = pick(how, { writable: true, readonly: false })
    },
    trust: ([what, ...names]) =>
      pick(what, {
        changed: () => tell({ _tag: 'RotationRequested', why: 'the trust changed' }),
        required: () => ports.trust.set({ required: true, authorities: O.some(names) }),
        expected: () => ports.trust.set({ required: false, authorities: O.some(names) }),
      })(),
    window: ([start = '', end = '', , reason = '']) =>
      windows.suggest(
        start === 'none'
          ? O.none
          : O.some({ start: moment(start), end: moment(end), reason, source: 'the operator' }),
      ),
    refused: () => judge('CredentialRejected'),
    accepted: () => judge('CredentialAccepted'),
    status,
    log: () => {
      const lines = logged
      logged = []
      return [...lines, `${lines.length} lines`]
    },
    at: ([time = '']) => clock.set(moment(time)),
    advance: ([time = '']) => clock.advanceBy(duration(time)),
    suspend: ([time = '']) => clock.set(after(clock.now(), duration(time))),
    clock: ([direction, time = '']) => {
      const change = pick(direction, { back: -1, ahead: 1 }) * duration(time)
      skew -= change
      api.set({ skew })
      return clock.set(after(clock.now(), change))
    },
    api: ([key, value = '']) => {
      if (key === 'down') fault('fault api unreachable')
      else if (key === 'up') mend()
      else api.set(pick(key, settings)(value))
    },
    approve: () => api.approve(),
    deny: ([, message = '']) => api.deny('PolicyViolation', message),
    fail: ([, message = '']) => api.fail('SignerValidationFailure', message),
    sign,
    attach: ([text = '']) => api.attach(text),
    delete: () => api.delete(),
    recreate: () => api.recreate(),
    occupy,
    fault: (_, command) => fault(command),
    mend: () => mend(),
    disk: ([how]) =>
      pick(how, {
        full: () => {
          fault('fault store full on saveRequest')
          fault('fault store full on install')
        },
        free: () => mend(),
      })(),
  }

  const fault = (command: string) => {
    mends = [...mends, faultOf(ports, words(command).slice(1))]
  }
  const mend = () => {
    for (const undo of mends) undo()
    mends = []
  }

  return {
    play: async (command) => {
      const quiet = command.startsWith('quietly ')
      const [name, ...args] = words(command.replace('quietly ', ''))
      const answer = await pick(name, commands)(args, command)
      await clock.settle()
      const happened = events.take()
      return quiet ? [] : [...happened, ...(answer ?? [])]
    },
    next: () =>
      agent === undefined
        ? []
        : [shortened(`next: ${printAction(decide(policy)(agent.facts(), clock.now()))}`)],
  }
}

/** Somebody who suggests windows, and says when there is another. Nobody is there before the first. */
const suggestions = () => {
  let window: O.Option<O.Option<RenewalWindow>> = O.none
  const listeners = new Set<() => void>()
  const port: RenewalWindows = {
    suggest: () => TE.right({ window: O.flatten(window), askAgainAfter: hour }),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    port: () => (O.isSome(window) ? { windows: port } : {}),
    suggest: (next: O.Option<RenewalWindow>) => {
      window = O.some(next)
      for (const listener of listeners) listener()
    },
  }
}

const unwritable = failure(
  'StoreUnwritable',
  'soon',
  'the kubeconfig cannot be written (memory)',
  'make room',
)

const logLines = (policy: RotationPolicy, notice: Notice): Lines => {
  const told = notice._tag === 'Step' ? transitionOf(policy, notice) : undefined
  if (told === undefined) return []
  const { at, level, reason, message } = told
  return [shortened(`${rfc3339(instant(at.getTime())).padEnd(26)}${level.padEnd(6)} ${reason}: ${message}`)]
}

const settings: Readonly<Record<string, (value: string) => Partial<ApiSettings>>> = {
  'auto-approve': (value) => ({ autoApprove: onOff(value) }),
  'auto-sign': (value) => ({ autoSign: onOff(value) }),
  'signing-duration': (value) => ({ signingDuration: duration(value) }),
  kubernetes: (value) => ({ flavour: value === '1.20' ? '1.20' : '1.22' }),
  issuer: (value) => ({ issuer: value }),
  bootstrap: (value) => ({ bootstrap: onOff(value) }),
}

const policies: Readonly<Record<string, (value: string) => Partial<RotationPolicy>>> = {
  rotate: (value) => ({ rotate: onOff(value) }),
  'authenticate-with': (value) => ({ authenticateWith: value === 'external' ? 'external' : 'held' }),
  'probe-interval': (value) => ({ probeInterval: duration(value) }),
}
