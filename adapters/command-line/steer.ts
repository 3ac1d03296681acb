/** `rotate` and `reload`: tells the process that keeps a directory what to do. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { Json } from '../../src/model/codec.js'
import { printable } from '../../src/model/printable.js'
import { type Milliseconds, minute } from '../../src/model/time.js'
import { okSync, stepsSync } from '../../src/steps.js'
import { askHolderOfCertificateDirectory } from '../filesystem/index.js'
import { command, complain } from './command.js'
import { type Chosen, configFlags, placesOrComplaint, readChosen } from './config-places.js'
import { defaultCertDir } from './defaults.js'
import { parseDuration } from './duration.js'
import { type Flags, readFlags, type UsageError, usageError } from './flags.js'
import { defaultPrefix } from './inquiry.js'

const commonFlags = {
  ...configFlags,
  'cert-dir': { value: 'DIR', help: `the certificate directory (default ${defaultCertDir})` },
  'cert-prefix': { value: 'NAME', help: `what the files there begin with (default ${defaultPrefix})` },
  reason: { value: 'TEXT', help: 'why, for the log and the hooks' },
} satisfies Flags<string>

export const reloadFlags = commonFlags
export const rotateFlags = {
  ...commonFlags,
  wait: {
    help: 'answer when the new certificate is in use, or why it is not; --wait=DURATION: for so long (default 5m)',
  },
} satisfies Flags<string>

interface SteerRequest {
  readonly where: Where | Chosen
  readonly question: Readonly<Record<string, Json>> & { readonly ask: 'rotate' | 'reload' }
  /** How long the answer may take, beside the time to say it, ms. */
  readonly wait: Milliseconds
}

interface Where {
  readonly certDir: string
  readonly certPrefix: string
}

const defaultWait = 5 * minute
const longestWait = 24 * 60 * minute
/** For an answer that does not wait for anything. */
const patience = minute / 4

export const readReload = (args: ReadonlyArray<string>): E.Either<UsageError, SteerRequest> =>
  stepsSync(function* () {
    const given = yield* okSync(readFlags(reloadFlags, args))
    const where = yield* okSync(whereOf(given))
    return { where, question: { ask: 'reload', reason: reasonIn(given) }, wait: 0 }
  })

export const readRotate = (args: ReadonlyArray<string>): E.Either<UsageError, SteerRequest> =>
  stepsSync(function* () {
    const given = yield* okSync(readFlags(rotateFlags, args))
    const wait = yield* okSync(waitIn(given.wait))
    const where = yield* okSync(whereOf(given))
    return { where, question: { ask: 'rotate', reason: reasonIn(given), wait }, wait }
  })

/** 0: it does not wait. */
const waitIn = (text: string | undefined): E.Either<UsageError, Milliseconds> => {
  if (text === undefined || text === 'false') return E.right(0)
  const limit = text === 'true' ? E.right(defaultWait) : parseDuration(text)
  if (E.isLeft(limit)) return E.left(usageError(`--wait: ${limit.left}`, 'for instance --wait=10m'))
  return limit.right < 1_000 || limit.right > longestWait
    ? E.left(usageError(`--wait=${text} cannot be`, 'write 1s or more, up to 24h'))
    : limit
}

type Common = Partial<Readonly<Record<keyof typeof commonFlags, string>>>

const whereOf = (given: Common): E.Either<UsageError, Where | Chosen> =>
  E.map((chosen: Chosen | undefined): Where | Chosen => {
    const { 'cert-dir': certDir = defaultCertDir, 'cert-prefix': certPrefix = defaultPrefix } = given
    return chosen ?? { certDir, certPrefix }
  })(readChosen(given, ['cert-dir', 'cert-prefix']))

const reasonIn = ({ reason = 'no reason was given' }: Common): string => reason

const NewCertificate = t.type({ serialNumber: t.string, notAfter: t.string })

/** Exit code 0: done; 1: not, and why; 3: nobody keeps the directory. With a file: of each certificate; the worst counts. */
const steer = async ({ where, ...request }: SteerRequest): Promise<number> => {
  if (!('config' in where)) return said(await asked(where, request))
  const places = await placesOrComplaint(where)
  if (places === undefined) return 2
  // One process keeps them all, and reads its file once.
  if (request.question.ask === 'reload') {
    for (const place of places) {
      const outcome = await asked(place, request)
      if (outcome.code !== 3) return said(outcome)
    }
    complain(`no agent keeps the certificates of ${where.config}`, 'start kube-cert-rotation run --config')
    return 3
  }
  const codes = await Promise.all(
    places.map(async (place) => said(await asked(place, request), `${place.name}: `)),
  )
  return codes.find((code) => code === 1) ?? Math.max(...codes)
}

/** What came of it: what is to be said, and the exit code. */
type Outcome =
  | { readonly code: 0; readonly told: string }
  | { readonly code: 1 | 3; readonly message: string; readonly remedy: string }

const said = (outcome: Outcome, whose = ''): number => {
  if (outcome.code === 0) process.stdout.write(`${whose}${outcome.told}\n`)
  else complain(`${whose}${outcome.message}`, outcome.remedy)
  return outcome.code
}

const asked = async (
  { certDir, certPrefix }: Where,
  { question, wait }: Omit<SteerRequest, 'where'>,
): Promise<Outcome> => {
  const directory = { directory: certDir, prefix: certPrefix }
  const answer = await askHolderOfCertificateDirectory(directory, question, wait + patience)()
  if (E.isLeft(answer)) return { code: 1, message: answer.left.message, remedy: answer.left.remedy }
  if (O.isNone(answer.right))
    return {
      code: 3,
      message: `no agent keeps ${certDir} (${certPrefix})`,
      remedy: 'start kube-cert-rotation run, or name its --cert-dir',
    }
  const found = NewCertificate.decode(answer.right.value)
  return {
    code: 0,
    told: E.isRight(found)
      ? `certificate ${printable(found.right.serialNumber)} is in use, until ${printable(found.right.notAfter)}`
      : `${question.ask === 'rotate' ? 'a rotation' : 'a reload'} was asked for`,
  }
}

export const rotateCommand = command(rotateFlags, readRotate, steer)
export const reloadCommand = command(reloadFlags, readReload, steer)
