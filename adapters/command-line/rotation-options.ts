import type { RotationOptions } from '../node/index.js'

/** What flags and an entry of a file say of a rotation, besides what certificate it is; undefined: nothing. */
export interface RotationSettings
  extends Record<
    'certPrefix' | 'bootstrapKubeconfig' | 'kubeconfig' | 'clientCertificateAuthority',
    string | undefined
  > {
  readonly certDir: string
  readonly renewalWindows: RotationOptions['renewalWindows'] | undefined
  /** ms. */
  readonly requestedLifetime: number | undefined
  /** ms. */
  readonly probeInterval: number | undefined
  readonly rotate: boolean
  /** Requests go out with the credential of the kubeconfig, and not with the certificate itself. */
  readonly isExternal: boolean
}

/** The options of the rotation. */
export const rotationOptions = (
  certificate: Pick<RotationOptions, 'nodeName' | 'template' | 'keyAlgorithm'>,
  {
    certDir,
    certPrefix,
    bootstrapKubeconfig,
    kubeconfig,
    renewalWindows,
    clientCertificateAuthority,
    requestedLifetime,
    probeInterval,
    rotate,
    isExternal,
  }: RotationSettings,
): RotationOptions => ({
  ...certificate,
  certDir,
  ...(certPrefix === undefined ? {} : { certPrefix }),
  ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
  ...(kubeconfig === undefined ? {} : { kubeconfig }),
  ...(renewalWindows === undefined ? {} : { renewalWindows }),
  ...(clientCertificateAuthority === undefined ? {} : { clientCertificateAuthority }),
  ...(requestedLifetime === undefined ? {} : { requestedLifetime }),
  policy: {
    rotate,
    ...(isExternal ? { authenticateWith: 'external' } : {}),
    ...(probeInterval === undefined ? {} : { probeInterval }),
  },
})
