import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { approvalByHand } from '../../src/describe/approval.js'
import { rotateAt } from '../../src/describe/transition.js'
import { keyring } from '../../src/driver/keyring.js'
import { type Found, load } from '../../src/driver/load.js'
import { isUsable } from '../../src/machine/due.js'
import { type Held, noFacts } from '../../src/machine/facts.js'
import { evolve, stateOf } from '../../src/machine/machine.js'
import type { State } from '../../src/machine/state.js'
import { expired } from '../../src/model/certificate.js'
import type { StoreError } from '../../src/model/failure.js'
import { defaultPolicy } from '../../src/model/policy.js'
import { printable } from '../../src/model/printable.js'
import type { Draft } from '../../src/model/request.js'
import { type Instant, inWords, rfc3339 } from '../../src/model/time.js'
import { cryptoBackend } from '../crypto/index.js'
import {
  type Holder,
  holderInWords,
  holderOfCertificateDirectory,
  prefixesInCertificateDirectory,
  readCertificateDirectory,
  type Taken,
} from '../filesystem/index.js'
import { fromBundle } from '../node/trust.js'
import { wallClock } from '../platform/clock.js'
import { command, complain } from './command.js'
import { defaultCertDir } from './defaults.js'
import { type Flags, readFlags, type UsageError, usageError } from './flags.js'

export const statusFlags = {
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
  output: { value: 'json', short: 'o', help: 'json: for programs' },
} satisfies Flags<string>

export interface StatusRequest {
  readonly certDir: string
  readonly certPrefix?: string
  readonly clientCaFile?: string
  /** The kubeconfig that uses the certificate, and the one to bootstrap from: compared where both are given. */
  readonly kubeconfig?: string
  readonly bootstrapKubeconfig?: string
  readonly json: boolean
}

export const readStatus = (args: ReadonlyArray<string>): E.Either<UsageError, StatusRequest> => {
  const given = readFlags(statusFlags, args)
  if (E.isLeft(given)) return given
  const {
    output = 'text',
    'cert-dir': certDir = defaultCertDir,
    'cert-prefix': certPrefix,
    'client-ca-file': clientCaFile,
    kubeconfig,
    'bootstrap-kubeconfig': bootstrapKubeconfig,
  } = given.right
  return output === 'json' || output === 'text'
    ? E.right({
        certDir,
        json: output === 'json',
        ...(clientCaFile === undefined ? {} : { clientCaFile }),
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
        ...(certPrefix === undefined ? {} : { certPrefix }),
      })
    : E.left(usageError(`-o ${output} is not known`, 'write -o json, or leave it out'))
}

/** Shows what is in a certificate directory, and who has it open. Exit code 0: there is a certificate to use. */
export const status = async (request: StatusRequest): Promise<number> => {
  const { certDir, certPrefix, clientCaFile, json } = request
  const directory = { directory: certDir, ...(certPrefix === undefined ? {} : { prefix: certPrefix }) }
  const ports = {
    store: { load: readCertificateDirectory(directory) },
    crypto: cryptoBackend,
    clock: wallClock,
    ...(clientCaFile === undefined ? {} : { trust: fromBundle(clientCaFile) }),
  }
  const found = await load(ports, keyring())()
  if (E.isLeft(found)) {
    complain(found.left.message, found.left.remedy)
    return 1
  }
  const agent = await holderOfCertificateDirectory(directory)()
  const prefixes = O.isSome(found.right.held) ? E.right([]) : await prefixesInCertificateDirectory(certDir)()
  const others = E.getOrElse((): ReadonlyArray<string> => [])(prefixes)
  const report = withTrust(reportOn(found.right, agent, others, wallClock.now()), await trustProblem(request))
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : inLines(report))
  return report.usable ? 0 : 1
}

/** Why the API server may not be verified with the kubeconfig: a sentence, from files alone. */
const trustProblem = async ({
  kubeconfig,
  bootstrapKubeconfig,
}: StatusRequest): Promise<E.Either<string, string | undefined>> => {
  if (kubeconfig === undefined || bootstrapKubeconfig === undefined) return E.right(undefined)
  // Loaded only when it is asked for.
  const { haveNoCommonAuthority } = await import('../node/kubeconfigs.js')
  const differ = await haveNoCommonAuthority(kubeconfig, bootstrapKubeconfig)()
  if (E.isLeft(differ)) return E.left(`${differ.left.message}; ${differ.left.remedy}`)
  return E.right(
    differ.right
      ? `The API server cannot be verified by both kubeconfigs: no CA in ${kubeconfig} is in ${bootstrapKubeconfig}. If the cluster's CA was replaced, kube-cert-rotation run finds out which is right, and corrects ${kubeconfig}.`
      : undefined,
  )
}

const withTrust = (report: Report, problem: E.Either<string, string | undefined>): Report => {
  if (E.isLeft(problem)) return { ...report, warnings: [...report.warnings, problem.left] }
  return problem.right === undefined
    ? report
    : { ...report, usable: false, explanation: `${report.explanation} ${problem.right}` }
}

/** What `-o json` prints; instants in RFC 3339. */
interface Report {
  readonly state: string
  readonly explanation: string
  readonly usable: boolean
  readonly certificate?: {
    readonly serialNumber: string
    readonly commonName: string
    readonly organizations: ReadonlyArray<string>
    readonly issuer: string
    readonly keyId: string
    readonly notBefore: string
    readonly notAfter: string
  }
  readonly receivedAt?: string
  readonly rotateAt?: string
  /** Whether the certificate chains to a CA in `--client-ca-file`, where that is given and could be read. */
  readonly chainVerified?: boolean
  /** Who has the directory open; null: nobody; absent: that cannot be asked. */
  readonly agent?: Agent | null
  readonly pendingRequest?: { readonly name: string; readonly signerName: string; readonly keyId: string }
  /** Where there is no certificate: the prefixes of others in the directory. */
  readonly otherPrefixes?: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** Nothing is asked of a server here. */
const policy = { ...defaultPolicy, probeInterval: 0 }

/** `silent`: it does not say who it is. */
type Agent = Omit<Holder, 'holds'> | { readonly silent: true }

const reportOn = (
  { held, draft, warnings }: Found,
  taken: E.Either<StoreError, O.Option<Taken>>,
  prefixes: ReadonlyArray<string>,
  now: Instant,
): Report => {
  const wanted = O.map(({ template }: Draft) => template)(draft)
  const facts = evolve(policy)(noFacts(wanted), { _tag: 'Loaded', at: now, held, draft })
  const state = stateOf(policy)(facts, now)
  const certificate = O.toUndefined(held)?.certificate
  const request = O.toUndefined(draft)
  const renewal = rotateAt(policy, facts, now)
  const verification = O.toUndefined(held)?.verification._tag ?? 'Unchecked'
  const agent = E.isLeft(taken) ? undefined : agentOf(taken.right)
  return {
    state: state._tag,
    explanation: [
      summaryOf(state, held, renewal, agent === null, now),
      ...otherCertificates(prefixes),
      ...savedRequest(request),
    ].join(' '),
    usable: O.isSome(held) && isUsable(policy, held.value, now),
    ...(certificate === undefined
      ? {}
      : {
          certificate: {
            serialNumber: certificate.serialNumber,
            commonName: certificate.commonName,
            organizations: certificate.organizations,
            issuer: certificate.issuer,
            keyId: certificate.keyId,
            notBefore: rfc3339(certificate.notBefore),
            notAfter: rfc3339(certificate.notAfter),
          },
        }),
    ...(O.isSome(held) ? { receivedAt: rfc3339(held.value.receivedAt) } : {}),
    ...(renewal === undefined ? {} : { rotateAt: rfc3339(renewal) }),
    ...(verification === 'Unchecked' ? {} : { chainVerified: verification === 'Verified' }),
    ...(agent === undefined ? {} : { agent }),
    ...(prefixes.length === 0 ? {} : { otherPrefixes: prefixes }),
    ...(request === undefined
      ? {}
      : {
          pendingRequest: {
            name: request.name,
            signerName: request.template.signerName,
            keyId: request.keyId,
          },
        }),
    warnings: [...warnings, ...(E.isLeft(taken) ? [`${taken.left.message}; ${taken.left.remedy}`] : [])],
  }
}

const agentOf = (taken: O.Option<Taken>): Agent | null => {
  if (O.isNone(taken)) return null
  if (taken.value.holder === undefined) return { silent: true }
  const { program, hostname, pid, since } = taken.value.holder
  return { program, hostname, pid, since }
}

/** What the directory means, for people. What an agent does next, and what the server says, only its log can tell. */
const summaryOf = (
  state: State,
  held: O.Option<Held>,
  renewal: Instant | undefined,
  abandoned: boolean,
  now: Instant,
): string => {
  if (O.isNone(held)) return 'There is no certificate: kube-cert-rotation run obtains one.'
  const { notBefore, notAfter } = held.value.certificate
  if (expired(held.value.certificate, now))
    return `The certificate expired ${inWords(now - notAfter)} ago: kube-cert-rotation run obtains another.`
  if (now < notBefore)
    return `By this machine's clock the certificate is not valid for another ${inWords(notBefore - now)}.`
  if (state._tag === 'RenewDue' || renewal === undefined)
    return `The certificate works for another ${inWords(notAfter - now)}; its renewal is due.`
  return abandoned
    ? `The certificate works; its renewal is due in ${inWords(renewal - now)}, if kube-cert-rotation run is there to do it.`
    : `The certificate works, and is renewed in ${inWords(renewal - now)}.`
}

const otherCertificates = (prefixes: ReadonlyArray<string>): ReadonlyArray<string> =>
  prefixes.length === 0
    ? []
    : [
        `The directory has certificates with other prefixes: ${prefixes.map((prefix) => `--cert-prefix=${printable(prefix)}`).join(', ')}.`,
      ]

const savedRequest = (request: Draft | undefined): ReadonlyArray<string> =>
  request === undefined
    ? []
    : // It is saved before it is sent, and not written again after.
      [
        `A request is saved; whether it was sent, this directory does not know: kubectl get csr ${request.name} says what has become of it, NotFound when it was not sent or is gone${approvalByHand(request)}.`,
      ]

const inOneLine = (agent: Agent | null): string =>
  agent === null
    ? 'nobody: no agent is running on this directory (a kubelet would not show here)'
    : holderInWords('silent' in agent ? undefined : agent)

const inLines = (report: Report): string => {
  const { certificate, pendingRequest } = report
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ['state', report.state],
    ['certificate', certificate?.serialNumber],
    ['subject', certificate && `CN=${certificate.commonName}, O=${certificate.organizations.join('+')}`],
    ['issuer', certificate?.issuer],
    ['valid', certificate && `${certificate.notBefore} to ${certificate.notAfter}`],
    ['received', report.receivedAt],
    ['renewed at', report.rotateAt],
    ['chain', report.chainVerified === true ? 'chains to a CA in the file given' : undefined],
    ['agent', report.agent === undefined ? undefined : inOneLine(report.agent)],
    ['request', pendingRequest && `${pendingRequest.name} (${pendingRequest.signerName})`],
  ]
  return [
    ...rows.flatMap(([name, value]) =>
      value === undefined ? [] : [`${name.padEnd(12)} ${printable(value)}`],
    ),
    '',
    report.explanation,
    ...report.warnings.map((warning) => `warning: ${printable(warning)}`),
    '',
  ].join('\n')
}

export const statusCommand = command(statusFlags, readStatus, status)
