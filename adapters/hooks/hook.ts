/** What is called after each renewal, and how it is kept in mind which certificate it was told of. */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { HookCounts } from '../../src/metrics/metrics.js'
import { type Failure, failure } from '../../src/model/failure.js'
import type { TlsCredential } from '../../src/ports.js'
import { readRegularFile } from '../platform/read-file.js'
import { reasonOf } from '../platform/system-error.js'
import { replaceFile } from '../platform/write-file.js'

/** What happened: this certificate is in use now, stored, and written to all outputs. */
export interface Renewal {
  readonly credential: TlsCredential
  /** Absent: the store is one of the embedder's. */
  readonly certDir?: string
  readonly certPrefix: string
  /** Why there is a new certificate, for people. */
  readonly reason: string
}

/** `HookLate`: it took too long. */
export type HookError = Failure<'HookFailed' | 'HookLate'>

/**
 * Called at least once for each certificate that comes into use, the first included; again after a failure, ever more
 * slowly, and after an end of the process before it was known to have succeeded.
 */
export interface Hook {
  /** For people, and to know it again after a restart. */
  readonly name: string
  readonly run: (renewal: Renewal, signal: AbortSignal) => TaskEither<HookError, void>
}

/** A hook as something that is kept in line, as an output is. */
export interface Told {
  readonly name: string
  /** Again is the same as once. */
  readonly write: (renewal: Renewal) => TaskEither<Failure<string>, void>
  readonly counts: IO<HookCounts>
}

/** A file of this kind has some hundred bytes. */
const maxFileSize = 64 * 1024

/** A hook that is called once for each certificate: which one it was told of stands beside the pairs. */
export const onceForEach = ({ name, run }: Hook, signal: AbortSignal): Told => {
  const runs = { succeeded: 0, failed: 0, timed_out: 0 }
  let failing = 0
  /** What it was told of, and what the file says; undefined: not known yet. */
  let told: string | undefined
  let saved: string | undefined

  const call = async (renewal: Renewal): Promise<E.Either<HookError, void>> => {
    const outcome = await run(renewal, signal)()
    // What was cut short at the end is no failure of the hook.
    if (signal.aborted && E.isLeft(outcome)) return outcome
    runs[E.isRight(outcome) ? 'succeeded' : outcome.left._tag === 'HookLate' ? 'timed_out' : 'failed'] += 1
    failing = E.isRight(outcome) ? 0 : 1
    return outcome
  }

  const write =
    (renewal: Renewal): TaskEither<Failure<string>, void> =>
    async () => {
      const file = fileOf(name, renewal)
      const now = nameOf(renewal)
      if (told === undefined && file !== undefined) {
        saved = await readTold(file)
        told = saved
      }
      if (told !== now) {
        const outcome = await call(renewal)
        if (E.isLeft(outcome)) return outcome
        told = now
      }
      if (file === undefined || saved === now) return E.right(undefined)
      try {
        await replaceFile(file, `${JSON.stringify({ hook: name, told: now })}\n`)
        saved = now
        return E.right(undefined)
      } catch (thrown) {
        return E.left(
          failure(
            'HookFailed',
            'soon',
            `noting that the hook ${name} ended well: ${reasonOf(thrown)}`,
            'let this user write there; until then it is called again after a restart',
          ),
        )
      }
    }
  return { name: `the hook ${name}`, write, counts: () => ({ runs: { ...runs }, failing }) }
}

const nameOf = ({ credential: { certificate } }: Renewal): string =>
  `${certificate.serialNumber} ${certificate.keyId}`

const fileOf = (name: string, { certDir, certPrefix }: Renewal): string | undefined =>
  certDir === undefined
    ? undefined
    : join(
        resolve(certDir),
        `${certPrefix}-told-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.json`,
      )

/** Whatever cannot be read counts as nothing: then the hook is called once more. */
const readTold = async (file: string): Promise<string | undefined> => {
  try {
    const found: unknown = JSON.parse((await readRegularFile(file, maxFileSize, 'refuse')).text)
    return typeof found === 'object' && found !== null && 'told' in found && typeof found.told === 'string'
      ? found.told
      : undefined
  } catch {
    return undefined
  }
}
