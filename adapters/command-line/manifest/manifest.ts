import { realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { command, complain } from '../command.js'
import { type Flags, type Given, readFlagsAndFiles, type UsageError, usageError } from '../flags.js'
import { runFlags } from '../run-flags.js'
import type { Image } from './container.js'
import { type Service, serviceFrom } from './service.js'

/** Flags of `manifest`, beside those of `run`. */
export const manifestFlags = {
  program: {
    value: 'COMMAND',
    help: 'how the program is started (systemd: as now; in a container: kube-cert-rotation)',
  },
  user: { value: 'USER', help: 'who it runs as (systemd, daemonset: root, as a kubelet; sidecar: 65532)' },
  image: { value: 'IMAGE', help: 'daemonset, sidecar: an image with the program' },
  namespace: { value: 'NAME', help: 'daemonset, prometheus-rules: where it is (default kube-system)' },
  requester: {
    value: 'SUBJECT',
    help: 'rbac: who asks for the first certificate (default group:system:bootstrappers)',
  },
  approver: { value: 'SUBJECT', help: 'rbac: who approves for a signer, as serviceaccount:NAMESPACE/NAME' },
  signer: { value: 'SUBJECT', help: 'rbac: who signs for a signer of your own' },
} satisfies Flags<string>

const allFlags: Flags<string> = { ...manifestFlags, ...runFlags }

/** Prints a manifest; loaded when it is asked for. */
type Print = (service: Service, given: Given<string>) => Promise<E.Either<UsageError, string>>

const kinds: Readonly<Record<string, Print>> = {
  systemd: async (service, { program, user }) => {
    const { systemdUnit } = await import('./systemd.js')
    const unit = { program: wordsOf(program) ?? thisProgram(), ...(user === undefined ? {} : { user }) }
    return E.right(systemdUnit(service, unit))
  },
  daemonset: async (service, given) => {
    const { daemonSet } = await import('./daemonset.js')
    const image = await imageFrom(service, given, 0)
    return E.isLeft(image) ? image : daemonSet(service, image.right, given['namespace'] ?? 'kube-system')
  },
  sidecar: async (service, given) => {
    const { sidecar } = await import('./sidecar.js')
    const image = await imageFrom(service, given, 65532)
    return E.isLeft(image) ? image : sidecar(service, image.right)
  },
  rbac: async (service, given) => {
    const { rbac, readSubjects } = await import('./rbac.js')
    return E.map((subjects: Parameters<typeof rbac>[1]) => rbac(service, subjects))(readSubjects(given))
  },
  'prometheus-rules': async (_, given) => {
    const { prometheusRule } = await import('../../metrics/prometheus-rules.js')
    return E.right(prometheusRule(given['namespace'] ?? 'kube-system'))
  },
}

const imageFrom = async (
  { flags }: Service,
  given: Given<string>,
  otherwise: number,
): Promise<E.Either<UsageError, Image>> => {
  if (flags['after-renewal-signal'] !== undefined)
    return E.left(
      usageError(
        '--after-renewal-signal does not reach beyond a container',
        'leave it out, and let the program watch its files; or use the systemd unit',
      ),
    )
  const { readUser } = await import('./container.js')
  const { image } = given
  if (image === undefined)
    return E.left(usageError('--image is missing', 'name an image that has Node and the program'))
  const user = readUser(given['user'], otherwise)
  const program = wordsOf(given['program']) ?? ['kube-cert-rotation']
  return E.map((number: number): Image => ({ image, program, user: number }))(user)
}

const wordsOf = (text: string | undefined): ReadonlyArray<string> | undefined =>
  text?.split(' ').filter((word) => word !== '')

/** Node and the file that runs now, not the link by which it was found. */
const thisProgram = (): ReadonlyArray<string> => [process.execPath, realpathSync(process.argv[1] ?? '')]

/** What `manifest` was asked for. */
export interface ManifestRequest {
  readonly service: Service
  readonly given: Given<string>
  readonly print: Print
}

/** Reads what kind of manifest is wanted, and the flags of it and of `run`. */
export const readManifest = (args: ReadonlyArray<string>): E.Either<UsageError, ManifestRequest> => {
  const read = readFlagsAndFiles(allFlags, args)
  if (E.isLeft(read)) return read
  const { given, files } = read.right
  const [kind = '', ...more] = files
  const print = Object.hasOwn(kinds, kind) && more.length === 0 ? kinds[kind] : undefined
  if (print === undefined)
    return E.left(
      usageError(
        kind === '' ? 'it is not said for what' : `there is no manifest ${files.join(' ')}`,
        `name one of ${Object.keys(kinds).join(', ')}`,
      ),
    )
  if (given['config'] !== undefined && kind !== 'systemd')
    return E.left(
      usageError(`--config is for manifest systemd, not for ${kind}`, 'write the flags of one certificate'),
    )
  return E.map((service: Service): ManifestRequest => ({ service, given, print }))(serviceFrom(given))
}

/** Prints a manifest on standard output. */
export const manifest = async ({ service, given, print }: ManifestRequest): Promise<number> => {
  const text = await print(service, given)
  if (E.isLeft(text)) {
    complain(text.left.message, text.left.hint)
    return 2
  }
  process.stdout.write(text.right)
  return 0
}

export const manifestCommand = command(allFlags, readManifest, manifest, Object.keys(kinds).join('|'))
