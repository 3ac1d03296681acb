/** `--config FILE` of the commands that look at certificates or steer their agent: where those of the file are kept. */
import * as E from 'fp-ts/lib/Either.js'
import { didYouMean } from '../platform/nearest.js'
import { type Config, complainOf, type Problems, readConfig, switchedOffIn } from './config-file.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'
import type { Inquiry } from './inquiry.js'
import type { Kubeconfigs } from './status-trust.js'

export const configFlags = {
  config: { value: 'FILE', help: 'the certificates of this file, as with run --config' },
  certificate: { value: 'NAME', help: 'with --config: the certificate of this name only' },
} satisfies Flags<string>

/** Whose certificates are meant; `certificate`: only this one. */
export interface Chosen {
  readonly config: string
  readonly certificate?: string
}

/** Undefined: no file is named. `others` say the same as a file. */
export const readChosen = <Name extends string>(
  given: Given<Name | keyof typeof configFlags>,
  others: ReadonlyArray<Name>,
): E.Either<UsageError, Chosen | undefined> => {
  const { config, certificate } = given
  if (config === undefined)
    return certificate === undefined
      ? E.right(undefined)
      : E.left(usageError('--certificate is without --config', 'name the file with --config'))
  const other = others.find((name) => given[name] !== undefined)
  return other === undefined
    ? E.right({ config, ...(certificate === undefined ? {} : { certificate }) })
    : E.left(usageError(`--config and --${other} are both given`, 'give one of the two'))
}

/** Where a certificate is, and what its file says about it. */
export interface Place extends Inquiry, Kubeconfigs {
  readonly name: string
  readonly certPrefix: string
}

export const placesOf = async ({
  config,
  certificate,
}: Chosen): Promise<E.Either<Problems, ReadonlyArray<Place>>> => {
  const read = await readConfig(config)
  if (E.isLeft(read)) return read
  for (const sentence of switchedOffIn(config, read.right))
    process.stderr.write(`kube-cert-rotation: ${sentence}\n`)
  const places = placesIn(read.right)
  if (certificate === undefined) return E.right(places)
  const names = places.map(({ name }) => name)
  return names.includes(certificate)
    ? E.right(places.filter(({ name }) => name === certificate))
    : E.left([`there is no certificate ${certificate}; ${didYouMean(certificate, names)}`])
}

const placesIn = ({ certificates }: Config): ReadonlyArray<Place> =>
  certificates.map(({ name, prefix, request: { options } }) => {
    const { certDir = '', kubeconfig, bootstrapKubeconfig, clientCertificateAuthority } = options
    return {
      name,
      certDir,
      certPrefix: prefix,
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
      ...(clientCertificateAuthority === undefined ? {} : { clientCaFile: clientCertificateAuthority }),
    }
  })

/** The places, or undefined where the file is wrong, which is told then. */
export const placesOrComplaint = async (chosen: Chosen): Promise<ReadonlyArray<Place> | undefined> => {
  const places = await placesOf(chosen)
  if (E.isRight(places)) return places.right
  complainOf(chosen.config, places.left)
  return undefined
}
