import { assert, suite } from '../helper/index.js'
import { apiFindings, reportOf, surface } from './api.js'
import { flagsFinding } from './flags.js'

const test = suite('public surface')

test('is what was accepted', () => {
  assert.equal(apiFindings(), [])
})

test('is found for every subpath, values and types', async () => {
  const all = surface()
  for (const [subpath, exports] of all) assert.ok(exports.size > 0, subpath)
  const core = all.get('kube-cert-rotation/core')
  const values = Object.keys(await import('../../src/index.js')).filter((name) => name !== 'controlPlane')
  assert.equal(
    values.filter((name) => core?.has(name) !== true),
    [],
  )
  assert.match(core?.get('decide')?.code ?? '', /^export declare const decide: /)
})

test('shows a changed type as a changed report', () => {
  const one = { file: 'a.ts', documentation: '/** Old. */', code: 'export declare const a: number;' }
  const report = (code: string, documentation = one.documentation) =>
    reportOf(new Map([['p', new Map([['a', { ...one, code, documentation }]])]]))
  assert.is.not(report(one.code), report('export declare const a: string;'))
  assert.is(report(one.code), report(one.code, '/** New. */'))
})

test('has the types that exported ones speak of, and theirs', () => {
  const [, spoken = ''] = reportOf(surface()).split('== spoken of, not exported')
  // RotationOptions has outputs, whose content is a credential.
  assert.match(spoken, /^\w+ \(adapters\/[\w/-]+\.ts\)$/m)
  const names = [...spoken.matchAll(/^(\w+) \(/gm)].map(([, name]) => name)
  assert.is(new Set(spoken.match(/^\w+ \(.*\)$/gm)).size, names.length)
})

test('of the program is in its reference, as --help prints it', async () => {
  assert.is(await flagsFinding(), undefined)
})
