import * as E from 'fp-ts/lib/Either.js'
import type { Flags, UsageError } from './flags.js'

/** A command: its flags for the help, and how to carry it out. Answers with the exit code. */
export interface Command {
  readonly flags: Flags<string>
  /** What stands for the files that it takes in the help; absent: it takes none. */
  readonly files?: string
  readonly run: (args: ReadonlyArray<string>, signals: Signals) => Promise<number>
}

/** What the program is told from outside while it runs. */
export interface Signals {
  /** Given when it is to end (SIGTERM, SIGINT, a log that nobody reads any more). */
  readonly stop: AbortSignal
  /** Calls the listener at each SIGHUP (`reload`) or SIGUSR2 (`report`); without one the signal is ignored, with a line. */
  readonly on: (what: 'reload' | 'report', listener: () => void) => void
}

/** A command from the reader of its flags and what it does; a mistake in the flags is exit code 2. */
export const command = <Request>(
  flags: Flags<string>,
  read: (args: ReadonlyArray<string>) => E.Either<UsageError, Request>,
  run: (request: Request, stop: AbortSignal, signals: Signals) => Promise<number>,
  files?: string,
): Command => ({
  flags,
  ...(files === undefined ? {} : { files }),
  run: async (args, signals) => {
    const request = read(args)
    if (E.isRight(request)) return run(request.right, signals.stop, signals)
    complain(request.left.message, request.left.hint)
    return 2
  },
})

/** Says on standard error what went wrong, and what can be done about it. */
export const complain = (message: string, remedy: string): void => {
  process.stderr.write(`kube-cert-rotation: ${message}; ${remedy}\n`)
}
