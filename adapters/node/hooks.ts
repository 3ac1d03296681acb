/** The hooks of a rotation: called when a certificate is in use, stored, and written to all outputs. */
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import { printCause } from '../../src/describe/print.js'
import type { Step } from '../../src/describe/transition.js'
import { causesOf } from '../../src/machine/due.js'
import type { Facts } from '../../src/machine/facts.js'
import { type HookCounts, plusHooks } from '../../src/metrics/metrics.js'
import { failure } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { type Instant, inWords, minute } from '../../src/model/time.js'
import type { Clock, Output, OutputContent, TlsCredential } from '../../src/ports.js'
import { type Hook, onceForEach, type Renewal } from '../hooks/index.js'
import { keepOutput } from '../outputs/index.js'
import { credentialFrom } from './credential.js'
import { prefixOf, type RotationOptions } from './options.js'

export interface Hooks {
  readonly noteStep: (step: Step) => void
  /** Why the next certificate is wanted, in somebody's words. */
  readonly noteReason: (reason: string) => void
  readonly noteWritten: (output: Output) => (content: OutputContent) => void
  readonly stop: Task<void>
  /** Undefined: there are none. */
  readonly counts: IO<HookCounts | undefined>
}

const noHooks: Hooks = {
  noteStep: () => {},
  noteReason: () => {},
  noteWritten: () => () => {},
  stop: async () => {},
  counts: () => undefined,
}

/** So long a function is waited for, ms. */
const longestCall = minute

export const hooksOf = (
  options: RotationOptions,
  policy: RotationPolicy,
  current: IO<O.Option<TlsCredential>>,
  clock: Clock,
  warn: (message: string) => void,
): Hooks => {
  const { outputs = [], hooks: given = [], onRenewed, certDir, ports } = options
  if (given.length === 0 && onRenewed === undefined) return noHooks
  const over = new AbortController()
  const written = new Map<Output, string>()
  let held: Facts['held'] = O.none
  let wish: string | undefined
  let reason = 'it was in use when the agent started'

  /** What the hooks are to know of, as soon as all is in place. */
  const renewal = (): O.Option<Renewal> => {
    const credential = O.toUndefined(current())
    if (credential === undefined || O.isNone(held)) return O.none
    const isStored = held.value.certificate.keyId === credential.certificate.keyId
    const isWritten = outputs.every((output) => written.get(output) === credential.pem)
    if (!isStored || !isWritten) return O.none
    return O.some({
      credential,
      reason,
      certPrefix: prefixOf(options),
      ...(certDir === undefined || ports?.store !== undefined ? {} : { certDir }),
    })
  }
  const hooks = [...given, ...(onRenewed === undefined ? [] : [functionHook(onRenewed)])].map((hook) => {
    const told = onceForEach(hook, over.signal)
    return { ...told, ...keepOutput(told, renewal, clock, warn) }
  })
  const update = () => {
    for (const one of hooks) one.update()
  }
  return {
    noteStep: ({ before, after, event }) => {
      held = after.held
      if (event?._tag === 'Installed') {
        reason = wish ?? reasonOf(policy, before, event.at)
        wish = undefined
      }
      if (event?._tag === 'Installed' || event?._tag === 'Loaded') update()
    },
    noteReason: (words) => {
      wish = words
    },
    noteWritten: (output) => (content) => {
      written.set(output, content.credential.pem)
      update()
    },
    stop: async () => {
      await Promise.all(hooks.map(({ stop }) => stop()))
      over.abort()
    },
    counts: () => hooks.map(({ counts }) => counts()).reduce(plusHooks),
  }
}

/** What was asked for; otherwise what the certificate before was due for. */
const reasonOf = (policy: RotationPolicy, before: Facts, at: Instant): string => {
  const { held, next } = before
  if (O.isNone(held)) return 'there was no certificate'
  const answers = O.isSome(next) && next.value._tag === 'Delivered' ? next.value.answers : O.none
  if (O.isSome(answers)) return answers.value.why
  const causes = causesOf(policy, before, at).filter(({ _tag }) => _tag !== 'Deadline')
  return causes.length === 0 ? 'the renewal was due' : causes.map(printCause).join('; ')
}

const functionHook = (onRenewed: NonNullable<RotationOptions['onRenewed']>): Hook => ({
  name: 'onRenewed',
  run:
    ({ credential, reason }, over) =>
    async () => {
      const late = AbortSignal.timeout(longestCall)
      const signal = AbortSignal.any([late, over])
      const given = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      )
      try {
        const call = Promise.resolve(onRenewed({ credential: credentialFrom(credential), reason, signal }))
        const isOver = await Promise.race([call.then(() => false), given.then(() => true)])
        if (!isOver) return E.right(undefined)
        return E.left(
          failure(
            late.aborted ? 'HookLate' : 'HookFailed',
            'soon',
            `onRenewed did not end within ${inWords(longestCall)}, or before the rotation`,
            'let it end when its signal is given',
          ),
        )
      } catch (thrown) {
        const words = thrown instanceof Error ? thrown.message : 'something that is no Error'
        return E.left(failure('HookFailed', 'soon', `onRenewed threw ${words}`, 'mend it'))
      }
    },
})
