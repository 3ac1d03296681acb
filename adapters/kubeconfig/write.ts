import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { stringify } from 'yaml'
import { type Failure, failure } from '../../src/model/failure.js'
import type { Secret } from '../../src/model/secret.js'
import { kindOf } from '../platform/read-file.js'
import { codeOf, objection, reasonOf } from '../platform/system-error.js'
import { replaceFile, syncDirectory, writeNewFile } from '../platform/write-file.js'
import type { Cluster } from './cluster.js'
import type { ClusterEntry } from './entries.js'

/**
 * The text of the kubeconfig that the kubelet writes (`writeKubeconfigFromBootstrapping` in
 * `pkg/kubelet/certificate/bootstrap/bootstrap.go`), with the `tls-server-name` and `proxy-url` that it drops.
 * `pairPath`: the absolute path of the file with certificate and key, which need not exist yet.
 */
export const kubeconfigText = (cluster: ClusterEntry, pairPath: string): string => {
  const authority = O.toUndefined(cluster.certificateAuthority)
  return documentText(
    {
      ...(authority?._tag === 'File' ? { 'certificate-authority': authority.path } : {}),
      ...(authority?._tag === 'Data'
        ? { 'certificate-authority-data': base64(authority.content.reveal()) }
        : {}),
      ...othersOf(cluster),
    },
    { 'client-certificate': pairPath, 'client-key': pairPath },
  )
}

/** The text of a kubeconfig that needs no other file: certificate, key and CA stand in it. */
export const selfContainedText = (cluster: Cluster, pem: string, key: Secret): string =>
  documentText(
    {
      ...(O.isSome(cluster.certificateAuthority)
        ? { 'certificate-authority-data': base64(cluster.certificateAuthority.value) }
        : {}),
      ...othersOf(cluster),
    },
    { 'client-certificate-data': base64(pem), 'client-key-data': base64(key.reveal()) },
  )

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const othersOf = ({
  server,
  tlsServerName,
  insecureSkipTlsVerify,
  proxyUrl,
}: Omit<Cluster, 'certificateAuthority'>): object => ({
  ...(insecureSkipTlsVerify ? { 'insecure-skip-tls-verify': true } : {}),
  ...(O.isSome(proxyUrl) ? { 'proxy-url': proxyUrl.value.reveal() } : {}),
  server,
  ...(O.isSome(tlsServerName) ? { 'tls-server-name': tlsServerName.value } : {}),
})

const documentText = (cluster: object, user: object): string =>
  stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'default-cluster', cluster }],
      contexts: [
        {
          name: 'default-context',
          context: { cluster: 'default-cluster', namespace: 'default', user: 'default-auth' },
        },
      ],
      'current-context': 'default-context',
      users: [{ name: 'default-auth', user }],
    },
    { lineWidth: 0 },
  )

/** What writing a kubeconfig came to. */
export interface WrittenKubeconfig {
  /** false: it said exactly this already. */
  readonly changed: boolean
  /** Where the file that was overwritten lies now. */
  readonly backup: O.Option<string>
}

/**
 * Writes a kubeconfig, readable for its owner alone: a reader, also after a crash, finds the old one or the new one.
 * Another one that was there is kept beside it as `NAME.backup`, `NAME.backup-2` and so on.
 */
export const writeKubeconfig =
  (path: string, text: string): TaskEither<Failure<'StoreUnwritable'>, WrittenKubeconfig> =>
  async () => {
    try {
      const old = await readIfThere(path)
      if (old?.equals(Buffer.from(text)) === true) return E.right({ changed: false, backup: O.none })
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const backup = old === undefined ? O.none : O.some(await keepBeside(path, old))
      // The only copy of a key may be in it: it has to last before the other goes.
      if (O.isSome(backup)) await syncDirectory(dirname(path))
      await replaceFile(path, text)
      return E.right({ changed: true, backup })
    } catch (error) {
      return E.left(
        failure(
          'StoreUnwritable',
          'soon',
          `writing the kubeconfig ${path}: ${reasonOf(error)}`,
          'let this user write a file there, on a disk with room',
        ),
      )
    }
  }

/** Anything but a file is not read, which could wait for ever, and not replaced, which `/dev/null` would not survive. */
const readIfThere = async (path: string): Promise<Buffer | undefined> => {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw objection(`it is ${kindOf(stats)}`, 'name another file')
    return await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A copy under the first name that is free, or that holds the same already. */
const keepBeside = async (path: string, content: Buffer): Promise<string> => {
  for (let number = 1; ; number += 1) {
    const backup = number === 1 ? `${path}.backup` : `${path}.backup-${number}`
    const there = await readIfThere(backup)
    if (there?.equals(content) === true) {
      await syncFile(backup)
      return backup
    }
    if (there !== undefined) continue
    await writeNewFile(backup, content)
    return backup
  }
}

/** fsync(2): a backup that is there already may not be on the disk yet. */
const syncFile = async (path: string): Promise<void> => {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
