/** `rotate` and `reload`: tells the process that keeps a directory what to do. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { Json } from '../../src/model/codec.js'
import { printable } from '../../src/model/printable.js'
import { type Milliseconds, minute } from '../../src/model/time.js'
import { askHolderOfCertificateDirectory } from '../filesystem/index.js'
import { command, complain } from './command.js'
import { defaultCertDir } from './defaults.js'
import { parseDuration } from './duration.js'
import { type Flags, readFlags, type UsageError, usageError } from './flags.js'
import { defaultPrefix } from './inquiry.js'

const commonFlags = {
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
  readonly certDir: string
  readonly certPrefix: string
  readonly question: Readonly<Record<string, Json>> & { readonly ask: 'rotate' | 'reload' }
  /** How long the answer may take, beside the time to say it, ms. */
  readonly wait: Milliseconds
}

const defaultWait = 5 * minute
const longestWait = 24 * 60 * minute
/** For an answer that does not wait for anything. */
const patience = minute / 4

export const readReload = (args: ReadonlyArray<string>): E.Either<UsageError, SteerRequest> => {
  const given = readFlags(reloadFlags, args)
  if (E.isLeft(given)) return given
  return E.right({
    ...placeOf(given.right),
    question: { ask: 'reload', reason: reasonIn(given.right) },
    wait: 0,
  })
}

export const readRotate = (args: ReadonlyArray<string>): E.Either<UsageError, SteerRequest> => {
  const given = readFlags(rotateFlags, args)
  if (E.isLeft(given)) return given
  const limit = waitIn(given.right.wait)
  if (E.isLeft(limit)) return limit
  const wait = limit.right
  return E.right({
    ...placeOf(given.right),
    question: { ask: 'rotate', reason: reasonIn(given.right), wait },
    wait,
  })
}

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

const placeOf = ({
  'cert-dir': certDir = defaultCertDir,
  'cert-prefix': certPrefix = defaultPrefix,
}: Common) => ({
  certDir,
  certPrefix,
})

const reasonIn = ({ reason = 'no reason was given' }: Common): string => reason

const NewCertificate = t.type({ serialNumber: t.string, notAfter: t.string })

/** Exit code 0: done; 1: not, and why; 3: nobody keeps the directory. */
const steer = async ({ certDir, certPrefix, question, wait }: SteerRequest): Promise<number> => {
  const directory = { directory: certDir, prefix: certPrefix }
  const answer = await askHolderOfCertificateDirectory(directory, question, wait + patience)()
  if (E.isLeft(answer)) {
    complain(answer.left.message, answer.left.remedy)
    return 1
  }
  if (O.isNone(answer.right)) {
    complain(
      `no agent keeps ${certDir} (${certPrefix})`,
      'start kube-cert-rotation run, or name its --cert-dir',
    )
    return 3
  }
  const found = NewCertificate.decode(answer.right.value)
  process.stdout.write(
    E.isRight(found)
      ? `certificate ${printable(found.right.serialNumber)} is in use, until ${printable(found.right.notAfter)}\n`
      : `${question.ask === 'rotate' ? 'a rotation' : 'a reload'} was asked for\n`,
  )
  return 0
}

export const rotateCommand = command(rotateFlags, readRotate, steer)
export const reloadCommand = command(reloadFlags, readReload, steer)
