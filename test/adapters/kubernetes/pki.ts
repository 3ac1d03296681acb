import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate with its key, PEM. */
export interface Pair {
  readonly certificate: string
  readonly key: string
}

export interface Authority extends Pair {
  /** Signs a certificate; `san` as OpenSSL writes it, `days` from now (negative: it has ended already). */
  readonly sign: (subject: string, options?: { readonly san?: string; readonly days?: number }) => Pair
}

const withFiles = <A>(work: (directory: string) => A): A => {
  const directory = mkdtempSync(join(tmpdir(), 'kube-cert-rotation-pki-'))
  try {
    return work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** A CA made with OpenSSL. */
export const authority = (name: string): Authority =>
  withFiles((directory) => {
    const file = (base: string) => join(directory, base)
    const read = (base: string) => readFileSync(file(base), 'utf8')
    const subject = ['-subj', `/CN=${name}`, '-days', '10']
    openssl('req', '-x509', ...newKey, '-keyout', file('key'), '-out', file('crt'), ...subject)
    const ca: Pair = { certificate: read('crt'), key: read('key') }
    return { ...ca, sign: (leaf, options = {}) => sign(ca, leaf, options.san ?? '', options.days ?? 1) }
  })

const sign = (ca: Pair, subject: string, san: string, days: number): Pair =>
  withFiles((directory) => {
    const file = (base: string) => join(directory, base)
    writeFileSync(file('ca.crt'), ca.certificate)
    writeFileSync(file('ca.key'), ca.key)
    writeFileSync(
      file('extensions'),
      san === '' ? 'extendedKeyUsage=clientAuth\n' : `subjectAltName=${san}\n`,
    )
    openssl('req', '-new', ...newKey, '-keyout', file('key'), '-out', file('csr'), '-subj', subject)
    const authority = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial']
    const extensions = ['-extfile', file('extensions')]
    const output = ['-out', file('crt'), '-days', String(days)]
    openssl('x509', '-req', '-in', file('csr'), ...authority, ...extensions, ...output)
    return { certificate: readFileSync(file('crt'), 'utf8'), key: readFileSync(file('key'), 'utf8') }
  })

const openssl = (...parameters: ReadonlyArray<string>): void => {
  execFileSync('openssl', parameters, { stdio: 'pipe' })
}
