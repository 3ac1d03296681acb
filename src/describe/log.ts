/**
 * The log of a rotation's events, for replay: lines of JSON. A header begins each run and each file, with the policy and
 * the facts as they are then; each line after it is an event, or a change by the time alone, with what was decided.
 *
 * The words of `printAction` and `printCause` are in it. A change to them, or to what a field means, is a new version;
 * a further field is not.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { EventCodec, FactsCodec, PolicyCodec } from '../machine/codec.js'
import type { Facts } from '../machine/facts.js'
import { decide, stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import { InstantText, nullable, type Problem, problemOf } from '../model/codec.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Instant } from '../model/time.js'
import { printAction, printCause } from './print.js'
import type { Step } from './transition.js'

/** What every log begins with, so that a file that is none can be told from one. */
export const logMark = '{"kube-cert-rotation":"events"'
export const logVersion = 1

const mark = { 'kube-cert-rotation': t.literal('events') }

const HeaderCodec = t.strict({
  ...mark,
  version: t.literal(logVersion),
  at: InstantText,
  /** `started`: a process began. `continued`: what is before is in another file. `resumed`: lines before may be missing. */
  because: t.keyof({ started: null, continued: null, resumed: null }, 'reason for a header'),
  policy: PolicyCodec,
  facts: FactsCodec,
})

/** What begins a run or a file. */
export type LogHeader = t.TypeOf<typeof HeaderCodec>

const LineCodec = t.strict({
  at: InstantText,
  event: nullable(EventCodec),
  state: t.string,
  why: nullable(t.string),
  action: t.string,
})

/** An event, or a change by the time alone, and what was decided then. */
export type LogLine = t.TypeOf<typeof LineCodec>

/** What the machine makes of the facts at a time, as text that can be compared. */
export type Verdict = Pick<LogLine, 'state' | 'why' | 'action'>

export const verdictOf = (policy: RotationPolicy, facts: Facts, now: Instant): Verdict => {
  const state = stateOf(policy)(facts, now)
  return {
    state: state._tag,
    why: reasonOf(state),
    action: printAction(decide(policy)(facts, now)),
  }
}

const reasonOf = (state: State): O.Option<string> => {
  switch (state._tag) {
    case 'Bootstrapping':
      return O.some(state.why)
    case 'RenewDue':
      return O.some(state.causes.map(printCause).join('; '))
    case 'Issued':
      return O.some(state.stage)
    case 'Pending':
    case 'Approved':
      return O.none
  }
}

/** The header before a step, without a line break. */
export const printHeader = (
  policy: RotationPolicy,
  because: LogHeader['because'],
  { at, before: facts }: Step,
): string =>
  JSON.stringify(
    HeaderCodec.encode({
      'kube-cert-rotation': 'events',
      version: logVersion,
      at,
      because,
      policy,
      facts,
    }),
  )

/** A step's line, without a line break. */
export const printStep = (policy: RotationPolicy, { at, event, after }: Step): string =>
  JSON.stringify(LineCodec.encode({ at, event: O.fromNullable(event), ...verdictOf(policy, after, at) }))

/** A line of a log. `problem` is absent where it is no JSON at all: then it was not written to its end. */
export type ReadLine =
  | {
      readonly _tag: 'Header'
      readonly header: LogHeader
      /** The fields of the facts that are written in it: earlier versions knew fewer. */
      readonly written: ReadonlyArray<string>
    }
  | { readonly _tag: 'Step'; readonly line: LogLine }
  | { readonly _tag: 'Broken'; readonly problem?: Problem }

const Marked = t.type(mark)
const Versioned = t.type({ ...mark, version: t.number })
const Raw = t.type({ facts: t.UnknownRecord })

/** Reads a line. */
export const readLine = (text: string): ReadLine => {
  const json = E.tryCatch(
    (): unknown => JSON.parse(text),
    () => undefined,
  )
  if (E.isLeft(json)) return { _tag: 'Broken' }
  if (!Marked.is(json.right))
    return pipe(
      LineCodec.decode(json.right),
      E.match(broken, (line): ReadLine => ({ _tag: 'Step', line })),
    )
  const versioned = Versioned.decode(json.right)
  if (E.isLeft(versioned)) return broken(versioned.left)
  const { version } = versioned.right
  if (version !== logVersion) {
    const what = `is ${version}, and this program knows only ${logVersion}`
    return { _tag: 'Broken', problem: { where: 'version', what } }
  }
  return pipe(
    E.Do,
    E.bind('header', () => HeaderCodec.decode(json.right)),
    E.bind('raw', () => Raw.decode(json.right)),
    E.match(
      broken,
      ({ header, raw }): ReadLine => ({ _tag: 'Header', header, written: Object.keys(raw.facts) }),
    ),
  )
}

const broken = (errors: t.Errors): ReadLine => ({ _tag: 'Broken', problem: problemOf(errors) })
