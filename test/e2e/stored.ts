/** What lies in a certificate directory, looked at without the code under test. */
import { X509Certificate } from 'node:crypto'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Authority, issue } from './pki.js'

const SECOND = 1_000

/** A new pair for a kubelet, as its store takes it: chain, then key. `lifetime` in ms from now, an hour if not given. */
export const newPair = (authority: Authority, node: string, lifetime = 60 * 60 * SECOND): string => {
  const { certificate, key } = issue(authority, {
    commonName: `system:node:${node}`,
    organizations: ['system:nodes'],
    dnsNames: [node],
    notBefore: Date.now() - SECOND,
    notAfter: Date.now() + lifetime,
  })
  return certificate + key
}

/** The serial number of the first certificate, in lower case. */
export const serial = (pem: string): string => new X509Certificate(pem).serialNumber.toLowerCase()

/** The pair that the current link points to, by its serial number. */
export const currentSerial = async (directory: string, prefix = 'kubelet-client'): Promise<string> =>
  serial(await readFile(join(directory, `${prefix}-current.pem`), 'utf8'))

export const currentTarget = (directory: string, prefix = 'kubelet-client'): Promise<string> =>
  readlink(join(directory, `${prefix}-current.pem`))

/** Local time, and nothing that says so. */
export const kubeletsName = /^kubelet-(client|server)-\d{4}(-\d\d){5}\.pem$/

/** The pairs that a kubelet has stored, by name, with their serial numbers. */
export const kubeletsPairs = async (directory: string): Promise<Readonly<Record<string, string>>> => {
  const names = (await readdir(directory)).filter((name) => kubeletsName.test(name)).sort()
  const pairs = names.map(
    async (name) => [name, serial(await readFile(join(directory, name), 'utf8'))] as const,
  )
  return Object.fromEntries(await Promise.all(pairs))
}

/** The permission bits, in octal. */
export const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)
