import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { Credential } from './api-client.js'

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

const user = (credential: Credential): Record<string, string> =>
  credential === 'anonymous'
    ? {}
    : 'token' in credential
      ? { token: credential.token }
      : {
          'client-certificate-data': base64(credential.certificate),
          'client-key-data': base64(credential.key),
        }

/** Writes a kubeconfig with one context, as kubeadm lays it out; `ca` is the server's, PEM. */
export const writeKubeconfig = (
  file: string,
  { url, ca, credential }: { readonly url: string; readonly ca: string; readonly credential: Credential },
): Promise<void> =>
  writeFile(
    file,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'kubernetes', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
      users: [{ name: 'user', user: user(credential) }],
      contexts: [{ name: 'user@kubernetes', context: { cluster: 'kubernetes', user: 'user' } }],
      'current-context': 'user@kubernetes',
    }),
    { mode: 0o600 },
  )
