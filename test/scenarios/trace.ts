/** What happened, as lines for people: who was called, what was learnt, the state after it, the certificate in use. */
import * as O from 'fp-ts/lib/Option.js'
import type { ApiRecord, MemoryPorts, StoreRecord } from '../../adapters/memory/index.js'
import {
  type Event,
  type Instant,
  type Notice,
  printEvent,
  printState,
  type RotationPolicy,
  rfc3339,
} from '../../src/index.js'

export interface Trace {
  readonly notice: (policy: RotationPolicy) => (notice: Notice) => void
  /** Anything else, in its order. */
  readonly say: (name: string, text: string) => void
  /** The lines since the last time they were taken. */
  readonly take: () => ReadonlyArray<string>
}

/** Lines that belong together: an event with the calls before it, or one thing by itself. */
interface Group {
  readonly at: Instant
  readonly lines: ReadonlyArray<string>
}

/** Long hexadecimal numbers (names of requests, keys) by their first eight digits. */
export const shortened = (text: string): string =>
  text.replaceAll(/[0-9a-f]{32,64}/g, (digits) => digits.slice(0, 8))

export const column = (name: string, text: string): string => shortened(`${name.padEnd(6)} ${text}`)

const TIME_WIDTH = 26

export const trace = (ports: MemoryPorts): Trace => {
  let groups: Array<Group> = []
  let told = { store: 0, requests: 0 }
  /** Calls of the API that were not answered when last looked at, by their indices. */
  let open: ReadonlyArray<number> = []
  let state = ''

  const add = (at: Instant, ...lines: ReadonlyArray<string>) => {
    if (lines.length > 0) groups.push({ at, lines })
  }

  /** The calls of the API since the last time: those that were answered, or when `silent` ones are wanted too. */
  const apiCalls = (silent = false): ReadonlyArray<string> => {
    const { records } = ports.requests
    const recent = [...open, ...range(told.requests, records.length)]
    const ready = recent.filter((index) => isReady(records[index], silent))
    open = recent.filter((index) => !ready.includes(index))
    told = { ...told, requests: records.length }
    return ready.flatMap((index) => records[index] ?? []).map(requestLine)
  }

  /** The calls since the last time. A request is discarded because of the event before, to which it is added. */
  const calls = (silent = false): ReadonlyArray<string> => {
    const stored = ports.store.records.slice(told.store)
    told = { ...told, store: ports.store.records.length }
    const [discards, others] = [true, false].map((wanted) =>
      stored.filter(({ operation }) => (operation === 'discardRequest') === wanted).map(storeLine),
    )
    const last = groups.pop()
    if (last !== undefined) groups.push({ ...last, lines: [...last.lines, ...(discards ?? [])] })
    return [...(others ?? []), ...apiCalls(silent)]
  }

  return {
    notice: (policy) => (notice) => {
      if (notice._tag === 'Warning') return add(notice.at, ...calls(), column('warn', notice.message))
      const before = state
      state = printState(policy)(notice.after, notice.at)
      const made = calls()
      const changed = state === before ? [] : [column('state', state), ...why(notice)]
      const learnt = notice.event === undefined ? [] : [eventLine(notice.event)]
      add(notice.at, ...made, ...learnt, ...changed)
    },
    say: (name, text) => add(ports.clock.now(), ...calls(), column(name, text)),
    take: () => {
      add(ports.clock.now(), ...calls(true))
      const taken = groups
      groups = []
      return printed(taken)
    },
  }
}

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, index) => from + index)

/** Whether there is something to say: it is answered; a watch that goes on is no silence. */
const isReady = (record: ApiRecord | undefined, silent: boolean): boolean =>
  record !== undefined && (record.answer !== 'silence' || (silent && record.verb !== 'observe'))

const storeLine = ({ operation, subject = '', answer }: StoreRecord): string =>
  column('store', `${[operation, subject].filter((word) => word !== '').join(' ')}: ${answer}`)

const requestLine = ({ verb, as, serialNumber, name = '', answer }: ApiRecord): string =>
  column(
    'api',
    `${[verb, name, 'as', as, serialNumber ?? ''].filter((word) => word !== '').join(' ')}: ${answer}`,
  )

/** What the machine makes of a request that came to nothing. */
const why = ({ at, event, after }: Extract<Notice, { readonly _tag: 'Step' }>): ReadonlyArray<string> =>
  event?._tag === 'Observed' && O.isSome(after.lastFailure) && after.lastFailure.value.at === at
    ? [column('why', after.lastFailure.value.failure.message)]
    : []

const eventLine = (event: Event): string => column('event', printEvent(event))

/** The same again is counted, not repeated; a time stands where it changes. */
const printed = (groups: ReadonlyArray<Group>): ReadonlyArray<string> => {
  const out: Array<string> = []
  let time = ''
  const print = (at: Instant, lines: ReadonlyArray<string>) => {
    for (const line of lines) {
      const now = rfc3339(at)
      out.push(`${(now === time ? '' : now).padEnd(TIME_WIDTH)}${line}`)
      time = now
    }
  }
  for (let index = 0; index < groups.length; ) {
    const group = groups[index]
    if (group === undefined) break
    let last = index
    while (alike(groups[last + 1], group)) last += 1
    print(group.at, group.lines)
    const final = groups[last]
    if (last > index && final !== undefined)
      print(final.at, [
        `  the same ${last - index === 1 ? 'once' : `${last - index} times`} more, the last time now`,
      ])
    index = last + 1
  }
  return out
}

const alike = (group: Group | undefined, other: Group): boolean =>
  group !== undefined && signature(group) === signature(other)

const signature = ({ lines }: Group): string =>
  lines.join('\n').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|attempt \d+/g, '')
