/** What clients start from: the bootstrap token, and kubeconfigs. */
import { randomInt } from 'node:crypto'
import { stringify } from 'yaml'
import type { Pair } from './ca.js'

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'

const randomText = (length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')

/** `abcdef.0123456789abcdef`: six characters that are public, sixteen that are not. */
export const newBootstrapToken = (): string => `${randomText(6)}.${randomText(16)}`

export const isBootstrapToken = (text: string): boolean => /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text)

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const kubeconfig = (url: string, authorityPem: string, user: string, credentials: object): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'control-plane',
        cluster: { server: url, 'certificate-authority-data': base64(authorityPem) },
      },
    ],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: 'default', context: { cluster: 'control-plane', user } }],
    'current-context': 'default',
  })

/** For `kubectl`: its user may do everything. */
export const adminKubeconfig = (url: string, authorityPem: string, { certificate, key }: Pair): string =>
  kubeconfig(url, authorityPem, 'kubernetes-admin', {
    'client-certificate-data': base64(certificate),
    'client-key-data': base64(key.reveal()),
  })

/** For an agent that has no certificate yet. */
export const bootstrapKubeconfig = (url: string, authorityPem: string, token: string): string =>
  kubeconfig(url, authorityPem, 'kubelet-bootstrap', { token })
