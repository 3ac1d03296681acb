/** Outputs that are one file, replaced as a whole by a rename. */
import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { pemBlocks } from '../../src/model/pem.js'
import type { Output, OutputContent } from '../../src/ports.js'
import { selfContainedText } from '../kubeconfig/write.js'
import { type FileContent, readRegularFile } from '../platform/read-file.js'
import { codeOf, objection } from '../platform/system-error.js'
import { type Attributes, replaceFile } from '../platform/write-file.js'
import { hasAttributes } from './directory.js'
import { demandOutput, pemKeyOf, writing } from './error.js'

const maxFileSize = 1024 * 1024

/**
 * Keeps the key and the chain after it in one PEM file: what HAProxy takes (`crt`), and the form of the credential bundle
 * of a `podCertificate` volume.
 */
export const outputBundle = (path: string, attributes: Attributes = {}): Output =>
  outputFile('outputBundle', path, attributes, {
    textOf: ({ credential }) => `${endingLine(pemKeyOf(credential).reveal())}${endingLine(credential.pem)}`,
    isOurs: (text) => {
      const [first, ...others] = pemBlocks(text)
      return (
        first?.label.endsWith('PRIVATE KEY') === true && others.every(({ label }) => label === 'CERTIFICATE')
      )
    },
    kind: 'a bundle of a key and its chain',
  })

const firstLine = '# Kept by kube-cert-rotation: replaced whenever the certificate is.\n'

/** Keeps a kubeconfig that needs no other file: certificate, key and CA stand in it. */
export const outputKubeconfig = (path: string, attributes: Attributes = {}): Output =>
  outputFile('outputKubeconfig', path, attributes, {
    textOf: ({ credential, cluster }) => {
      if (O.isNone(cluster))
        throw objection('it is not known where the API is', 'name a kubeconfig that says it')
      return firstLine + selfContainedText(cluster.value, credential.pem, pemKeyOf(credential))
    },
    isOurs: (text) => text.startsWith(firstLine),
    kind: 'a kubeconfig that we wrote',
  })

interface Form {
  readonly textOf: (content: OutputContent) => string
  /** Whether a file that is there already may be replaced. */
  readonly isOurs: (text: string) => boolean
  readonly kind: string
}

const outputFile = (
  caller: string,
  given: string,
  attributes: Attributes,
  { textOf, isOurs, kind }: Form,
): Output => {
  demandOutput(caller, given, attributes)
  const path = resolve(given)
  const name = `the output ${path}`
  const wanted = { mode: 0o600, ...attributes }
  const write = async (content: OutputContent): Promise<void> => {
    const text = textOf(content)
    const there = await readIfThere(path)
    if (there !== undefined && !isOurs(there.text))
      throw objection(`it is there already, and is not ${kind}`, 'name another file, or move it away')
    if (there?.text === text && hasAttributes(there.stats, wanted)) return
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await replaceFile(path, text, wanted)
  }
  return { name, write: (content) => writing(name, () => write(content)) }
}

const readIfThere = async (path: string): Promise<FileContent | undefined> => {
  try {
    return await readRegularFile(path, maxFileSize, 'refuse')
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined
    if (codeOf(thrown) === 'ELOOP') throw objection('it is a link', 'name the file itself')
    throw thrown
  }
}

const endingLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)
