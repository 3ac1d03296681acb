import { stat } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Secret } from '../../src/model/secret.js'
import { type Instant, instant, rfc3339 } from '../../src/model/time.js'
import { codeOf, reasonOf } from '../platform/system-error.js'
import { readableCertificates } from '../platform/x509.js'
import type { Kubeconfig } from './decode.js'
import { type KubeconfigError, problem } from './problem.js'
import { credentialOf, loadKubeconfig, pluginOf } from './read.js'

/** What `--kubeconfig` holds before a rotation starts. */
export type ExistingKubeconfig =
  | { readonly _tag: 'Absent' }
  /** Its client certificate works as far as can be seen here: it is preferred to the bootstrap kubeconfig. */
  | {
      readonly _tag: 'Usable'
      readonly kubeconfig: Kubeconfig
      /** PEM. */
      readonly certificate: string
      readonly key: Secret
      /**
       * The file that holds the certificate; none: it stands in the kubeconfig itself (`client-certificate-data`), to
       * be copied into the store and renewed at once.
       */
      readonly certificatePath: O.Option<string>
    }
  /** It counts as missing, and may be overwritten; its cluster, where it could be read, still says where the API is. */
  | { readonly _tag: 'Unusable'; readonly kubeconfig: O.Option<Kubeconfig>; readonly reason: string }

/**
 * Says whether an existing kubeconfig is preferred, by the kubelet's rule (`isClientConfigStillValid` in
 * `pkg/kubelet/certificate/bootstrap/bootstrap.go`): its client certificate parses, belongs to its key, and none in its
 * file is past `notAfter`. One with only a token does not count. An error: it is there and cannot be looked at.
 */
export const existingKubeconfig =
  (path: string, now: Instant): TaskEither<KubeconfigError, ExistingKubeconfig> =>
  async () => {
    try {
      await stat(path)
    } catch (error) {
      const reason = reasonOf(error)
      if (codeOf(error) === 'ENOENT') return E.right({ _tag: 'Absent' })
      const what = `cannot be looked at: ${reason}`
      return E.left(problem({ file: path, at: '' }, what, 'let this user read it'))
    }
    const loaded = await loadKubeconfig(path)()
    if (E.isLeft(loaded)) return E.right(unusable(O.none, loaded.left.message))
    const kubeconfig = loaded.right
    if (O.isSome(pluginOf(kubeconfig.user)))
      return E.right(
        unusable(
          O.some(kubeconfig),
          `kubeconfig ${path}: it has a credential plugin, and no client certificate`,
        ),
      )
    const credential = await credentialOf(kubeconfig)()
    if (E.isLeft(credential)) return E.right(unusable(O.some(kubeconfig), credential.left.message))
    const { clientCertificate } = credential.right
    if (O.isNone(clientCertificate) || clientCertificate.value.key._tag !== 'Pem')
      return E.right(
        unusable(O.some(kubeconfig), `kubeconfig ${path}: it has a token, and no client certificate`),
      )
    const { pem: certificate, key } = clientCertificate.value
    const defect = defectOf(certificate, now)
    if (defect !== undefined)
      return E.right(unusable(O.some(kubeconfig), `kubeconfig ${path}: its client certificate ${defect}`))
    const source = kubeconfig.user.clientCertificate
    return E.right({
      _tag: 'Usable',
      kubeconfig,
      certificate,
      key: key.pem,
      certificatePath: O.isSome(source) && source.value._tag === 'File' ? O.some(source.value.path) : O.none,
    })
  }

const unusable = (kubeconfig: O.Option<Kubeconfig>, reason: string): ExistingKubeconfig => ({
  _tag: 'Unusable',
  kubeconfig,
  reason,
})

/** The end of the sentence "its client certificate …"; undefined when there is nothing to say. */
const defectOf = (pem: string, now: Instant): string | undefined => {
  const past = readableCertificates(pem)
    .map(({ validTo }) => instant(Date.parse(validTo)))
    .find((notAfter) => now > notAfter)
  return past === undefined ? undefined : `expired at ${rfc3339(past)}`
}
