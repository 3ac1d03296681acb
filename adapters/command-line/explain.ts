/** Why a certificate is in its state, what happens next, and what a person can do: in sentences. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { explain } from '../../src/describe/explain.js'
import type { Told } from '../../src/describe/snapshot.js'
import { adviceFor } from '../../src/describe/waiting.js'
import type { Facts } from '../../src/machine/facts.js'
import { stateOf } from '../../src/machine/machine.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { printable } from '../../src/model/printable.js'
import { endOfTime, type Instant, rfc3339, wholeSecond } from '../../src/model/time.js'
import { command, complain } from './command.js'
import { type Chosen, configFlags, placesOrComplaint, readChosen } from './config-places.js'
import { defaultCertDir } from './defaults.js'
import { type Flags, readFlagsAndFiles, type UsageError, usageError } from './flags.js'
import { inquire, type Situation } from './inquiry.js'
import { entryUpTo, instantFrom, readLog } from './read-log.js'
import { agentInWords, longest, reportOn } from './status-report.js'

export const explainFlags = {
  ...configFlags,
  'cert-dir': { value: 'DIR', help: `the certificate directory (default ${defaultCertDir})` },
  'cert-prefix': { value: 'NAME', help: 'what the files there begin with (default kubelet-client)' },
  at: { value: 'INSTANT', help: 'with files: as things stood at this time (2026-11-23T17:20:02Z)' },
} satisfies Flags<string>

export type ExplainRequest =
  | { readonly _tag: 'Directory'; readonly certDir: string; readonly certPrefix?: string }
  | ({ readonly _tag: 'Config' } & Chosen)
  /** The oldest first. */
  | { readonly _tag: 'Log'; readonly files: ReadonlyArray<string>; readonly at?: Instant }

export const readExplain = (args: ReadonlyArray<string>): E.Either<UsageError, ExplainRequest> => {
  const read = readFlagsAndFiles(explainFlags, args)
  if (E.isLeft(read)) return read
  const { given, files } = read.right
  const { 'cert-dir': certDir, 'cert-prefix': certPrefix, at } = given
  const chosen = readChosen(given, ['cert-dir', 'cert-prefix'])
  if (E.isLeft(chosen)) return chosen
  if (chosen.right !== undefined)
    return files.length === 0 && at === undefined
      ? E.right({ _tag: 'Config', ...chosen.right })
      : E.left(usageError('--config is for agents, and files and --at for event logs', 'give one of the two'))
  if (files.length === 0)
    return at === undefined
      ? E.right({
          _tag: 'Directory',
          certDir: certDir ?? defaultCertDir,
          ...(certPrefix === undefined ? {} : { certPrefix }),
        })
      : E.left(usageError('--at is for the files of run --event-log', 'name such a file, or leave --at out'))
  const flag = certDir === undefined ? '--cert-prefix' : '--cert-dir'
  if (certDir !== undefined || certPrefix !== undefined)
    return E.left(usageError(`${flag} and files are both given`, 'give one of the two'))
  const moment = at === undefined ? undefined : instantFrom(at)
  if (at !== undefined && moment === undefined)
    return E.left(
      usageError(`--at: ${JSON.stringify(at)} is no instant`, 'for instance 2026-11-23T17:20:02Z'),
    )
  return E.right({ _tag: 'Log', files, ...(moment === undefined ? {} : { at: moment }) })
}

/** Exit code 0: it is explained; 1: the directory cannot be read; 2: the log cannot be read. */
const explainIt = async (request: ExplainRequest): Promise<number> => {
  if (request._tag === 'Directory') {
    const situation = await inquire(request)
    if (E.isRight(situation)) return print(ofDirectory(request.certDir, situation.right))
    complain(situation.left.message, situation.left.remedy)
    return 1
  }
  if (request._tag === 'Config') return explainAll(request)
  const shown = await readLog(request.files)
  if (E.isLeft(shown)) {
    complain(shown.left.message, shown.left.remedy)
    return 2
  }
  const entry = entryUpTo(shown.right, request.at ?? endOfTime)
  if (E.isLeft(entry)) {
    complain(entry.left.message, entry.left.remedy)
    return 2
  }
  const now = request.at ?? entry.right.at
  const { policy, facts } = entry.right
  const events = shown.right.entries.flatMap(({ at, message }) =>
    message === undefined || at > now ? [] : [`${second(at)} ${message}`],
  )
  return print([
    `At ${second(now)}, by the event log (${entry.right.place}):`,
    ...sentences(policy, facts, now),
    ...lastEvents(events),
  ])
}

const explainAll = async (chosen: Chosen): Promise<number> => {
  const places = await placesOrComplaint(chosen)
  if (places === undefined) return 2
  const explained = await Promise.all(
    places.map(async (place) => {
      const situation = await inquire(place)
      return {
        isRead: E.isRight(situation),
        lines: [
          `${place.name}:`,
          ...(E.isRight(situation)
            ? ofDirectory(place.certDir, situation.right)
            : [`${situation.left.message}; ${situation.left.remedy}`]),
          '',
        ],
      }
    }),
  )
  print(explained.flatMap(({ lines }) => lines).slice(0, -1))
  return explained.every(({ isRead }) => isRead) ? 0 : 1
}

const print = (lines: ReadonlyArray<string>): number => {
  process.stdout.write(`${lines.map((line) => printable(line, longest)).join('\n')}\n`)
  return 0
}

const second = (at: Instant): string => rfc3339(wholeSecond(at))

/** What is so, why, what is next; then what a person can do. */
const sentences = (
  policy: RotationPolicy,
  facts: Facts,
  now: Instant,
  awaited: O.Option<string> = O.none,
): ReadonlyArray<string> => [
  `The state is ${stateOf(policy)(facts, now)._tag}. ${explain(policy, facts, now, awaited)}`,
  ...whatToDo(adviceFor(policy, facts, now)),
]

const whatToDo = (advice: ReadonlyArray<string>): ReadonlyArray<string> => [
  '',
  ...(advice.length === 0
    ? ['Nothing has to be done.']
    : ['What you can do:', ...advice.map((one) => `- ${one}`)]),
]

/** What an agent says of itself, or what the files alone tell. */
export const ofDirectory = (certDir: string, situation: Situation): ReadonlyArray<string> => {
  const { agent, snapshot, policy, facts, now, warnings } = situation
  const told = agent === undefined ? [] : [`The directory is ${certDir}. Its agent: ${agentInWords(agent)}.`]
  const said =
    snapshot === undefined || O.isNone(snapshot.known)
      ? byTheFiles(situation)
      : sentences(policy, facts, now, snapshot.awaited)
  return [
    ...told,
    '',
    ...said,
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `warning: ${warning}`)]),
    ...lastEvents((snapshot?.recent ?? []).map(eventInWords)),
  ]
}

const byTheFiles = (situation: Situation): ReadonlyArray<string> => {
  const { state, explanation } = reportOn(situation)
  const { agent } = situation
  return [
    `The state is ${state}. ${explanation}`,
    ...whatToDo([
      ...(agent === null
        ? [
            'start the agent (kube-cert-rotation run, or a kubelet): without one nothing is requested or renewed',
          ]
        : []),
      ...(agent !== null && situation.snapshot === undefined
        ? ['ask the log of the agent: it does not say more here, being of another version or busy']
        : []),
    ]),
  ]
}

const eventInWords = ({ at, level, reason, message }: Told): string =>
  `${second(at)} ${level.toUpperCase().padEnd(5)} ${reason}: ${message}`

const shownEvents = 8

const lastEvents = (events: ReadonlyArray<string>): ReadonlyArray<string> =>
  events.length === 0 ? [] : ['', 'What happened last:', ...events.slice(-shownEvents)]

export const explainCommand = command(explainFlags, readExplain, explainIt, '[FILE…]')
