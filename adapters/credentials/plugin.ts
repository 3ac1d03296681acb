/** Credential plugins (`exec` in a kubeconfig; client-go's `plugin/pkg/client/auth/exec`). */
import { dirname, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Failure, failure, type Interrupted } from '../../src/model/failure.js'
import { printable } from '../../src/model/printable.js'
import type { Secret } from '../../src/model/secret.js'
import { type Instant, instant, type Milliseconds, minute } from '../../src/model/time.js'
import type { ClientCredential, Credentials } from '../../src/ports.js'
import type { Signal } from '../../src/signal.js'
import { fail, ok, steps } from '../../src/steps.js'
import { lookUp, type Printed, type ProgramFailed, runProgram } from '../platform/process.js'
import { readAnswer } from './answer.js'
import { cached } from './cached.js'
import { withoutSecrets } from './without-secrets.js'

/** What a kubeconfig says of a plugin. */
export interface Plugin {
  /** The file that names it, for messages; a relative command with a slash counts from its folder. */
  readonly file: string
  /** A path, or a name that is looked up in PATH. */
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** Added to the environment. The values may be secrets. */
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: Secret }>
  readonly apiVersion: string
  /** What to do when it is not installed; empty for nothing. */
  readonly installHint: string
  /** `spec.cluster` of what it is given (`provideClusterInfo`); none: it is not to know. */
  readonly cluster: O.Option<object>
}

export interface PluginOptions {
  /** How long it may take, ms; a minute if not given. */
  readonly limit?: Milliseconds
  readonly now?: IO<Instant>
  /** Hears what the plugin prints on stderr, without secrets. */
  readonly warn?: (message: string) => void
  readonly environment?: NodeJS.ProcessEnv
}

/**
 * The credential that a plugin answers: kept until it expires, or for good when the plugin does not say; asked for anew
 * after a rejection, once for all who wait. The plugin has no terminal, and no standard input.
 */
export const pluginCredentials = (plugin: Plugin, options: PluginOptions = {}): Credentials => {
  const {
    limit = minute,
    now = () => instant(Date.now()),
    warn = () => {},
    environment = process.env,
  } = options
  let told = ''
  const tell = (stderr: string) => {
    if (stderr !== '' && stderr !== told)
      warn(`credential plugin ${plugin.command} printed on stderr: ${stderr}`)
    told = stderr
  }

  const ask = (signal: Signal): TaskEither<Failure<'NoCredential'> | Interrupted, ClientCredential> =>
    steps(async function* () {
      const file = await fileOf(plugin, environment['PATH'] ?? '')
      if (file === undefined) return yield* fail(notInstalled(plugin))
      const program = { file, args: plugin.args, environment: environmentFor(plugin, environment) }
      const printed = yield* ok(
        pipe(
          await runProgram(program, limit, signal),
          E.mapLeft((error) => (error._tag === 'ProgramFailed' ? failed(plugin, error) : error)),
        ),
      )
      const credential = yield* ok(
        pipe(
          readAnswer(printed.stdout, plugin.apiVersion, now()),
          E.mapLeft((reason) => failed(plugin, { reason, ...printed })),
        ),
      )
      tell(saidOf(plugin, printed))
      return credential
    })
  return cached(ask, now)
}

/** As client-go: a path counts from the folder of the kubeconfig, a name is looked up. */
const fileOf = async ({ file, command }: Plugin, path: string): Promise<string | undefined> =>
  command.includes('/') ? resolve(dirname(file), command) : lookUp(command, path)

const environmentFor = (
  { env, apiVersion, cluster }: Plugin,
  environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv => {
  const spec = { ...(O.isSome(cluster) ? { cluster: cluster.value } : {}), interactive: false }
  return {
    ...environment,
    ...Object.fromEntries(env.map(({ name, value }) => [name, value.reveal()])),
    KUBERNETES_EXEC_INFO: JSON.stringify({ kind: 'ExecCredential', apiVersion, spec }),
  }
}

const notInstalled = ({ file, command, installHint }: Plugin): Failure<'NoCredential'> =>
  failure(
    'NoCredential',
    'soon',
    `kubeconfig ${file}: the credential plugin ${command} is in none of the folders of PATH`,
    installHint === '' ? 'install it, or name it with its path' : `install it (${printable(installHint)})`,
  )

const failed = (
  plugin: Plugin,
  { reason, ...printed }: Printed & Pick<ProgramFailed, 'reason'>,
): Failure<'NoCredential'> => {
  const said = printable(saidOf(plugin, printed), 500)
  return failure(
    'NoCredential',
    'soon',
    `kubeconfig ${plugin.file}: the credential plugin ${plugin.command} ${reason}${said === '' ? '' : `; on stderr: ${said}`}`,
    `run it by hand, and see that it answers without a terminal${plugin.installHint === '' ? '' : ` (${printable(plugin.installHint)})`}`,
  )
}

/** What it printed on stderr, without secrets: what it was given, and what it answered, also where it failed then. */
const saidOf = ({ env }: Plugin, { stdout, stderr }: Printed): string =>
  withoutSecrets(stderr, [...env.map(({ value }) => value.reveal()), ...textsIn(stdout)]).trim()

/** The texts in what was printed: those in the JSON, line by line; where it is none, every word. */
const textsIn = (stdout: string): ReadonlyArray<string> => {
  const json = E.tryCatch(
    (): unknown => JSON.parse(stdout),
    () => undefined,
  )
  return E.isLeft(json) ? stdout.split(/[\s"',:{}[\]]+/) : linesIn(json.right)
}

const linesIn = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === 'string') return [value, ...value.split(/\s*\n\s*/)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(linesIn) : []
}
