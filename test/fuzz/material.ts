/** Real material to mutate: a certificate, its key, its request, and what carries them. */

import { createPublicKey } from 'node:crypto'
import { stringify } from 'yaml'
import { createCertificate, cryptoBackend } from '../../adapters/crypto/index.js'
import { requestFile } from '../../adapters/filesystem/request-file.js'
import type { Names } from '../../src/model/certificate.js'
import { pemBlocks } from '../../src/model/pem.js'
import { secret } from '../../src/model/secret.js'
import { kubeletClientTemplate } from '../../src/model/template.js'
import { after, day, instant, wholeSecond } from '../../src/model/time.js'
import { right } from '../adapters/outcome.js'
import { authority } from '../faults/serving.js'

export interface Material {
  readonly chain: string
  readonly key: string
  readonly request: string
  readonly kubeconfig: string
  readonly requestFile: string
  /** As the API serves it, with the certificate. */
  readonly served: string
  readonly watch: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The bytes of the first PEM block. */
export const derOf = (pem: string): Buffer =>
  Buffer.from((pemBlocks(pem)[0]?.text ?? '').split('\n').slice(1, -2).join(''), 'base64')

export const pemOf = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`

export const material = async (): Promise<Material> => {
  const ca = await authority('CA')
  const handle = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const key = (await right(handle.forStorage)).reveal()
  const names: Names = {
    commonName: 'system:node:a',
    organizations: ['system:nodes', 'Größe'],
    dnsNames: ['a.example'],
    ipAddresses: ['10.0.0.1', '::1'],
    uris: ['spiffe://a/b'],
  }
  const request = await right(handle.createRequest(names))
  const now = wholeSecond(instant(Date.now()))
  const leaf = await right(
    createCertificate(ca, {
      ...names,
      usages: ['digital signature', 'client auth'],
      serialNumber: '77',
      notBefore: now,
      notAfter: after(now, day),
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    }),
  )
  const chain = leaf + ca.pem
  const object = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'csr-1', uid: 'uid-1', resourceVersion: '10' },
    spec: {
      request: base64(request),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['client auth'],
    },
    status: {
      conditions: [{ type: 'Approved', status: 'True', reason: 'AutoApproved', message: 'because' }],
      certificate: base64(chain),
    },
  }
  const event = (type: string, what: object) => `${JSON.stringify({ type, object: what })}\n`
  return {
    chain,
    key,
    request,
    kubeconfig: stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      clusters: [
        {
          name: 'c',
          cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': base64(ca.pem) },
        },
      ],
      users: [
        {
          name: 'u',
          user: {
            token: 'abcdef.0123456789abcdef',
            'client-key-data': base64(key),
            'client-certificate-data': base64(leaf),
          },
        },
      ],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
      preferences: {},
    }),
    requestFile: requestFile({
      draft: { name: 'csr-1', keyId: handle.id, template: kubeletClientTemplate('a'), pem: request },
      key: secret(key),
    }).trim(),
    served: JSON.stringify(object),
    watch: [
      event('ADDED', { ...object, status: {} }),
      event('BOOKMARK', { metadata: { resourceVersion: '11' } }),
      event('MODIFIED', object),
      event('DELETED', object),
      event('ERROR', { kind: 'Status', code: 410, message: 'too old' }),
    ].join(''),
  }
}
