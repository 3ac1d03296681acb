/** Reads the file of `--config`, and makes of it what the program does. Every problem is told, with its path in the file. */
import { dirname, join, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Problem } from '../../src/model/codec.js'
import type { Address } from '../metrics/listener.js'
import { prefixOf, templateFrom } from '../node/options.js'
import { type PathUse, pathProblems } from '../outputs/paths.js'
import { decodeAs, parseYaml } from '../platform/fields.js'
import { readBounded } from '../platform/read-file.js'
import { parseBindAddress } from './bind-address.js'
import { certificateFrom, certificateProblems, type Naming, templateSettings } from './certificate-flags.js'
import { type CertificateEntry, type Configuration, certificate, configuration } from './config.js'
import { defaultCertDir } from './defaults.js'
import { type HookRequest, isLimit, limits, readSignal } from './hooks.js'
import type { Log } from './output.js'
import { attributesFrom, type OutputRequest, outputUse } from './outputs.js'
import { rotationOptions } from './rotation-options.js'
import type { CertificateRequest } from './run-request.js'
import { type AddressChoice, addressProblems, readAddresses, servingPrefix } from './serving-flags.js'
import { windowProblems, windowsFrom } from './window-flags.js'

/** A certificate of the file: values alone, so that two can be compared. */
export interface Configured {
  readonly name: string
  readonly request: CertificateRequest
  /** What its files begin with. */
  readonly prefix: string
  /** The certificate that it is requested with, by its name in the file. */
  readonly asker?: string
  /** Where it has its names from: it is a serving certificate. */
  readonly addresses?: AddressChoice
}

export interface Config {
  readonly log: Log
  readonly metrics?: Address
  readonly certificates: ReadonlyArray<Configured>
  /** The names of those that a feature gate switches off. */
  readonly switchedOff: ReadonlyArray<string>
}

/** Sentences, each with its path in the file. */
export type Problems = ReadonlyArray<string>

/** Says on standard error what is wrong with the file, a line each. */
export const complainOf = (file: string, problems: Problems): void => {
  for (const problem of problems) process.stderr.write(`kube-cert-rotation: ${file}: ${problem}\n`)
}

export const readConfig = async (file: string): Promise<E.Either<Problems, Config>> => {
  const text = await readBounded(file)()
  return E.isLeft(text) ? E.left([`it ${text.left}`]) : configFrom(file, text.right.reveal())
}

/** Paths in it are relative to the folder of the file. */
export const configFrom = (file: string, yaml: string): E.Either<Problems, Config> => {
  const value = parseYaml(yaml)
  if (E.isLeft(value)) return E.left(value.left.map(inWords))
  const read = decodeAs(configuration, value.right)
  const folder = dirname(resolve(file))
  if (E.isLeft(read)) return E.left([...read.left.map(inWords), ...contradictionsIn(value.right, folder)])
  const { logFormat, logLevel, metricsBindAddress = '0', featureGates, certificates } = read.right
  const metrics = parseBindAddress(metricsBindAddress)
  const all = certificates.map((entry, index) => entryAt(index, entry, featureGates, folder))
  const problems = [
    ...(E.isLeft(metrics) ? [`metricsBindAddress: ${metrics.left}`] : []),
    ...contradictions(all),
  ]
  if (problems.length > 0 || E.isLeft(metrics)) return E.left(problems)
  const isKept = ({ addresses }: Configured) =>
    addresses === undefined || featureGates.RotateKubeletServerCertificate
  return E.right({
    log: { format: logFormat, level: logLevel },
    ...(metrics.right === undefined ? {} : { metrics: metrics.right }),
    certificates: all.map(({ one }) => one).filter(isKept),
    switchedOff: all.flatMap(({ one }) => (isKept(one) ? [] : [one.name])),
  })
}

/** What is said of certificates that are in the file and not kept. */
export const switchedOffIn = (file: string, { switchedOff }: Config): ReadonlyArray<string> =>
  switchedOff.length === 0
    ? []
    : [
        `${file}: featureGates.RotateKubeletServerCertificate is false, so these are not kept: ${switchedOff.join(', ')}`,
      ]

const inWords = ({ where, what }: Problem): string => `${where === '' ? 'it' : where} ${what}`

const entryAt = (
  index: number,
  entry: CertificateEntry,
  gates: Configuration['featureGates'],
  folder: string,
): Entry => ({ where: `certificates[${index}]`, entry, one: configured(entry, gates, folder) })

const allOn = { RotateKubeletClientCertificate: true, RotateKubeletServerCertificate: true }

/** What contradicts itself in a file of which not all can be read: among the certificates that can. */
const contradictionsIn = (value: unknown, folder: string): Problems => {
  const given = t.UnknownRecord.is(value) ? value : {}
  const { metricsBindAddress, certificates } = given
  const metrics = typeof metricsBindAddress === 'string' ? parseBindAddress(metricsBindAddress) : E.right(0)
  const read = (Array.isArray(certificates) ? certificates : []).map((one: unknown) => ({
    name: t.UnknownRecord.is(one) ? String(one['name']) : '',
    entry: decodeAs(certificate, one),
  }))
  const all = read.flatMap(({ entry }, index) =>
    E.isRight(entry) ? [entryAt(index, entry.right, allOn, folder)] : [],
  )
  const others = read.flatMap(({ name, entry }) => (E.isLeft(entry) ? [name] : []))
  return [
    ...(E.isLeft(metrics) && metricsBindAddress !== '' ? [`metricsBindAddress: ${metrics.left}`] : []),
    ...contradictions(all, others),
  ]
}

/** `others`: the names of further certificates, of which not more is known. */
const contradictions = (all: ReadonlyArray<Entry>, others: ReadonlyArray<string> = []): Problems => [
  ...all.flatMap(({ where, entry, one }) => [...problemsOf(entry, where), ...optionProblems(one, where)]),
  ...together(all, others),
]

/** Where the requests go out with a credential of their own, and not with another certificate of the file. */
const ownCredentials: ReadonlyArray<string> = ['held', 'kubeconfig']

const askerOf = ({ authenticateWith = 'held' }: CertificateEntry): string | undefined =>
  ownCredentials.includes(authenticateWith) ? undefined : authenticateWith

const configured = (
  entry: CertificateEntry,
  gates: Configuration['featureGates'],
  folder: string,
): Configured => {
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path))
  const { certPrefix, requestedLifetime, probeInterval, serverAddresses, keyAlgorithm } = entry
  const [kubeconfig, bootstrapKubeconfig] = [at(entry.kubeconfig), at(entry.bootstrapKubeconfig)]
  const [clientCertificateAuthority, eventLog] = [at(entry.clientCaFile), at(entry.eventLog)]
  const renewalWindows = windowsFrom({ ...entry, renewalWindowFile: at(entry.renewalWindowFile) })
  const asker = askerOf(entry)
  const addresses = serverAddresses === undefined ? undefined : addressesFrom(serverAddresses)
  const isServing = addresses !== undefined
  const prefix = certPrefix ?? (isServing ? servingPrefix : prefixOf({}))
  const certificate = certificateFrom(
    isServing ? { hostnameOverride: entry.hostnameOverride, keyAlgorithm } : entry,
  )
  const options = rotationOptions(certificate, {
    certDir: at(entry.certDir) ?? defaultCertDir,
    certPrefix,
    bootstrapKubeconfig,
    kubeconfig,
    renewalWindows,
    clientCertificateAuthority,
    requestedLifetime,
    probeInterval,
    rotate: entry.rotateCertificates && (isServing || gates.RotateKubeletClientCertificate),
    isExternal: entry.authenticateWith === 'kubeconfig',
  })
  return {
    name: entry.name,
    prefix,
    request: {
      options,
      outputs: entry.outputs.flatMap((output) =>
        placesOf(output).map(([kind, path]) => ({
          kind,
          path: resolve(folder, path),
          attributes: attributesFrom(output.mode, output.owner),
        })),
      ),
      hooks: entry.afterRenewal.flatMap(({ command, signal, timeout }): ReadonlyArray<HookRequest> => {
        const target = signal === undefined ? undefined : readSignal(signal)
        if (target !== undefined) return E.isRight(target) ? [target.right] : []
        const [program = '', ...args] = command ?? []
        return [{ command: [program, ...args], ...(timeout === undefined ? {} : { limit: timeout }) }]
      }),
      ...(eventLog === undefined ? {} : { eventLog }),
    },
    ...(asker === undefined ? {} : { asker }),
    ...(addresses === undefined ? {} : { addresses }),
  }
}

const addressesFrom = (given: string | ReadonlyArray<string>): AddressChoice =>
  typeof given === 'string'
    ? (readAddresses(given) ?? { _tag: 'list', names: [given] })
    : { _tag: 'list', names: given }

type Place = readonly [kind: OutputRequest['kind'], path: string]

const placesOf = ({ dir, bundle, kubeconfig }: CertificateEntry['outputs'][number]): ReadonlyArray<Place> => [
  ...(dir === undefined ? [] : [['dir', dir] as const]),
  ...(bundle === undefined ? [] : [['bundle', bundle] as const]),
  ...(kubeconfig === undefined ? [] : [['kubeconfig', kubeconfig] as const]),
]

/** What contradicts itself within one certificate. */
const problemsOf = (entry: CertificateEntry, where: string): Problems => {
  const as: Naming = (name) => `${where}.${name}`
  const asker = askerOf(entry)
  const other = templateSettings.find((name) => entry[name] !== undefined)
  const when = (isWrong: boolean, problem: string) => (isWrong ? [problem] : [])
  const forNobody = (['kubeconfig', 'bootstrapKubeconfig'] as const).filter(
    (name) => entry[name] !== undefined,
  )
  return [
    ...[...certificateProblems(entry, as), ...windowProblems(entry, as)].map(
      ({ message, hint }) => `${message}; ${hint}`,
    ),
    ...when(
      ownCredentials.includes(entry.name),
      `${as('name')} must be another name: ${entry.name} means something else in authenticateWith`,
    ),
    ...when(
      entry.authenticateWith === 'kubeconfig' && entry.kubeconfig === undefined,
      `${as('authenticateWith')}=kubeconfig needs ${as('kubeconfig')}; name the kubeconfig whose credential is used`,
    ),
    ...(asker === undefined ? [] : forNobody).map(
      (name) =>
        `${as(name)} and ${as('authenticateWith')}=${asker} are both given; leave out the first: the API is where it is for ${asker}`,
    ),
    ...when(
      entry.serverAddresses !== undefined && asker === undefined,
      `${as('serverAddresses')} needs ${as('authenticateWith')}; name the client certificate of the node in this file`,
    ),
    ...when(
      entry.serverAddresses !== undefined && other !== undefined,
      `${as('serverAddresses')} and ${as(other ?? '')} are both given; leave out the fields of another certificate`,
    ),
    ...(entry.serverAddresses === undefined
      ? []
      : addressProblems(addressesFrom(entry.serverAddresses), as('serverAddresses'))
    ).map(({ message, hint }) => `${message}; ${hint}`),
    ...entry.afterRenewal.flatMap(({ signal, timeout }, index) => {
      const at = as(`afterRenewal[${index}]`)
      const target = signal === undefined ? undefined : readSignal(signal, `${at}.signal`)
      return [
        ...when(signal !== undefined && timeout !== undefined, `${at}.timeout is for commands; leave it out`),
        ...when(timeout !== undefined && !isLimit(timeout), `${at}.timeout must be ${limits}`),
        ...(target !== undefined && E.isLeft(target) ? [`${target.left.message}; ${target.left.hint}`] : []),
      ]
    }),
  ]
}

/** What only the library knows: what Kubernetes takes as a lifetime. */
const optionProblems = ({ request: { options } }: Configured, where: string): Problems => {
  const { requestedLifetime } = options
  if (requestedLifetime === undefined) return []
  const possible = templateFrom({ requestedLifetime })
  return E.isLeft(possible) ? [`${where}.${possible.left.message}; ${possible.left.remedy}`] : []
}

interface Entry {
  readonly where: string
  readonly entry: CertificateEntry
  readonly one: Configured
}

/** What certificates cannot have in common, and what they need of each other. */
const together = (all: ReadonlyArray<Entry>, others: ReadonlyArray<string>): Problems => {
  const byName = new Map(all.map((each) => [each.one.name, each]))
  return [
    ...all.flatMap(({ where, one: { name, asker } }) => {
      if (asker === undefined || others.includes(asker)) return []
      const place = `${where}.authenticateWith`
      if (!byName.has(asker))
        return [
          `${place}=${asker} is no certificate of this file; there are ${[...byName.keys()].join(', ')}`,
        ]
      return isCircular(name, byName) ? [`${place}=${asker} waits for this certificate itself`] : []
    }),
    ...twice(all.map(({ where, one: { name } }) => [`${where}.name`, name])),
    ...twice(
      all.map(({ where, one }) => [`${where}.certDir`, join(one.request.options.certDir ?? '', one.prefix)]),
      'give one of them another certDir or certPrefix',
    ),
    ...pathProblems(all.flatMap(pathsOf)).map(({ message, remedy }) => `${message}; ${remedy}`),
  ]
}

const pathsOf = ({ where, entry, one: { request } }: Entry): ReadonlyArray<PathUse> => {
  const { options, outputs, eventLog } = request
  const file = (name: string, path: string | undefined, use: PathUse['use']): ReadonlyArray<PathUse> =>
    path === undefined ? [] : [{ where: `${where}.${name}`, path, use }]
  const isRead = entry.authenticateWith === 'kubeconfig'
  return [
    ...file('certDir', options.certDir, 'certificate directory'),
    ...file('bootstrapKubeconfig', options.bootstrapKubeconfig, 'file read'),
    ...file('kubeconfig', options.kubeconfig, isRead ? 'file read' : 'file written'),
    ...file('clientCaFile', options.clientCertificateAuthority, 'file read'),
    ...file('renewalWindowFile', options.renewalWindows?.file, 'file read'),
    ...file('eventLog', eventLog, 'file written'),
    ...outputs.map(({ kind, path }, index) => outputUse(`${where}.outputs[${index}]`, kind, path)),
  ]
}

const isCircular = (name: string, byName: ReadonlyMap<string, Entry>): boolean => {
  const seen = new Set<string>()
  for (let next = byName.get(name)?.one.asker; next !== undefined; next = byName.get(next)?.one.asker) {
    if (next === name) return true
    if (seen.has(next)) return false
    seen.add(next)
  }
  return false
}

const twice = (
  values: ReadonlyArray<readonly [where: string, value: string]>,
  cure = 'each needs its own',
): Problems => {
  const first = new Map<string, string>()
  return values.flatMap(([where, value]) => {
    const earlier = first.get(value)
    if (earlier === undefined) first.set(value, where)
    return earlier === undefined ? [] : [`${where} and ${earlier} are both ${value}; ${cure}`]
  })
}
