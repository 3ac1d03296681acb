import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { StoreError } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'
import { okSync, stepsSync } from '../../src/steps.js'
import { prefixesInCertificateDirectory } from '../filesystem/index.js'
import { command, complain } from './command.js'
import { type Chosen, configFlags, placesOrComplaint, readChosen } from './config-places.js'
import { defaultCertDir } from './defaults.js'
import { parseDurationWithDays } from './duration.js'
import { type Flags, readFlags, readSwitch, type UsageError, usageError } from './flags.js'
import { type Inquiry, inquire, type Situation } from './inquiry.js'
import { type CheckResult, check, checkLine, exitCodes, worstOf } from './status-check.js'
import { type Report, reportInLines, reportOn } from './status-report.js'
import { type Kubeconfigs, trustProblem, withTrust } from './status-trust.js'

export const statusFlags = {
  ...configFlags,
  'cert-dir': { value: 'DIR', help: `the certificate directory (default ${defaultCertDir})` },
  kubeconfig: { value: 'FILE', help: 'the kubeconfig that uses the certificate' },
  'bootstrap-kubeconfig': {
    value: 'FILE',
    help: 'with --kubeconfig: says when they name different CAs for the API server',
  },
  'cert-prefix': {
    value: 'NAME',
    help: 'what the files of the certificate begin with (default kubelet-client)',
  },
  'client-ca-file': { value: 'FILE', help: 'CAs that the certificate has to chain to; says whether it does' },
  check: { help: 'one line for monitoring; exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN' },
  'expires-in': {
    value: 'DURATION',
    help: 'with --check: WARNING when it expires within this time: 7d, 36h',
  },
  watch: { help: 'show it live, each second, until Ctrl-C; without a terminal a line for each change' },
  output: { value: 'json', short: 'o', help: 'json: for programs' },
} satisfies Flags<string>

export interface StatusRequest extends Inquiry, Kubeconfigs {
  /** The certificates of a file, in place of the directory. */
  readonly chosen?: Chosen
  readonly how: 'text' | 'json' | 'check' | 'watch'
  readonly expiresIn?: Milliseconds
}

export const readStatus = (args: ReadonlyArray<string>): E.Either<UsageError, StatusRequest> =>
  stepsSync(function* () {
    const given = yield* okSync(readFlags(statusFlags, args))
    const {
      output = 'text',
      'cert-dir': certDir = defaultCertDir,
      'cert-prefix': certPrefix,
      'client-ca-file': clientCaFile,
      'expires-in': expiry,
      kubeconfig,
      'bootstrap-kubeconfig': bootstrapKubeconfig,
    } = given
    if (output !== 'json' && output !== 'text')
      return yield* wrong(`-o ${output} is not known`, 'write -o json, or leave it out')
    const checks = yield* okSync(readSwitch('check', given.check, false))
    const watches = yield* okSync(readSwitch('watch', given.watch, false))
    const asked = [...(output === 'json' ? ['-o json'] : []), ...(checks ? ['--check'] : [])]
    if (watches) asked.push('--watch')
    if (asked.length > 1) yield* wrong(`${asked.join(' and ')} exclude each other`, 'give one of them')
    if (expiry !== undefined && !checks)
      yield* wrong('--expires-in is for --check', 'write status --check --expires-in=7d')
    const expiresIn = expiry === undefined ? undefined : yield* okSync(readExpiry(expiry))
    const chosen = yield* okSync(readChosen(given, placeFlags))
    return {
      certDir,
      ...(chosen === undefined ? {} : { chosen }),
      ...(certPrefix === undefined ? {} : { certPrefix }),
      ...(clientCaFile === undefined ? {} : { clientCaFile }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
      how: checks ? 'check' : watches ? 'watch' : output,
      ...(expiresIn === undefined ? {} : { expiresIn }),
    }
  })

const wrong = (what: string, cure: string) => okSync(E.left(usageError(what, cure)))

const readExpiry = (text: string): E.Either<UsageError, Milliseconds> =>
  E.mapLeft((reason) => usageError(`--expires-in: ${reason}`, 'for instance 7d'))(parseDurationWithDays(text))

/** What says where one certificate is, as a file says it of each. */
const placeFlags = [
  'cert-dir',
  'cert-prefix',
  'client-ca-file',
  'kubeconfig',
  'bootstrap-kubeconfig',
] as const

/** Shows what is in a certificate directory, and what its agent says. Exit code 0: there is a certificate to use. */
export const status = async (request: StatusRequest, signal: AbortSignal): Promise<number> => {
  const { chosen, how, expiresIn } = request
  if (how === 'watch') return (await import('./status-watch.js')).watchStatus(request, signal)
  if (chosen !== undefined) return statusOfAll(chosen, request)
  const situation = await inquire(request)
  if (how === 'check') return printCheck(checkOf(situation, expiresIn))
  if (E.isLeft(situation)) {
    complain(situation.left.message, situation.left.remedy)
    return 1
  }
  const report = await fullReport(request, situation.right)
  process.stdout.write(how === 'json' ? json(report) : reportInLines(report))
  return report.usable ? 0 : 1
}

/** The same of each certificate of a file. Exit code 0: each can be used. */
const statusOfAll = async (chosen: Chosen, { how, expiresIn }: StatusRequest): Promise<number> => {
  const places = await placesOrComplaint(chosen)
  if (places === undefined) return how === 'check' ? exitCodes.CRITICAL : 2
  const looks = await Promise.all(
    places.map(async (place) => ({ place, name: place.name, situation: await inquire(place) })),
  )
  if (how === 'check')
    return printCheck(
      worstOf(looks.map(({ name, situation }) => ({ name, result: checkOf(situation, expiresIn) }))),
    )
  const reports = await Promise.all(
    looks.map(async ({ place, name, situation }) => ({
      place,
      name,
      report: E.isLeft(situation) ? situation : E.right(await fullReport(place, situation.right)),
    })),
  )
  process.stdout.write(
    how === 'json'
      ? json({
          certificates: reports.map(({ name, report }) => ({
            name,
            ...(E.isRight(report) ? report.right : { usable: false, problem: report.left.message }),
          })),
        })
      : reports
          .map(({ name, place: { certDir, certPrefix }, report }) => {
            const text = E.isRight(report)
              ? reportInLines(report.right)
              : `${report.left.message}; ${report.left.remedy}\n`
            return `${name}: ${certPrefix} in ${certDir}\n${text}`
          })
          .join('\n'),
  )
  return reports.every(({ report }) => E.isRight(report) && report.right.usable) ? 0 : 1
}

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`

const fullReport = async (place: Inquiry & Kubeconfigs, situation: Situation): Promise<Report> =>
  withTrust(reportOn(situation, await otherPrefixes(place, situation)), await trustProblem(place))

const checkOf = (
  situation: E.Either<StoreError, Situation>,
  expiresIn: Milliseconds | undefined,
): CheckResult =>
  E.isRight(situation)
    ? check(situation.right, expiresIn)
    : { status: 'UNKNOWN', what: situation.left.message }

const printCheck = (result: CheckResult): number => {
  process.stdout.write(`${checkLine(result)}\n`)
  return exitCodes[result.status]
}

/** Where there is no certificate: the prefixes of others in the directory. */
const otherPrefixes = async ({ certDir }: Inquiry, { facts }: Situation): Promise<ReadonlyArray<string>> => {
  if (O.isSome(facts.held)) return []
  return E.getOrElse((): ReadonlyArray<string> => [])(await prefixesInCertificateDirectory(certDir)())
}

export const statusCommand = command(statusFlags, readStatus, status)
