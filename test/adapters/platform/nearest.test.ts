import { didYouMean, nearest, unknownField } from '../../../adapters/platform/nearest.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('nearest name')
const known = [
  'nodeName',
  'certDir',
  'certPrefix',
  'kubeconfig',
  'bootstrapKubeconfig',
  'probeInterval',
  'once',
]

const misspelt: ReadonlyArray<readonly [string, string]> = [
  ['nodename', 'nodeName'],
  ['node-name', 'nodeName'],
  ['probeIntervall', 'probeInterval'],
  ['kubeconfg', 'kubeconfig'],
  ['kubecofnig', 'kubeconfig'],
  ['bootstrapKubeConfig', 'bootstrapKubeconfig'],
  ['cert_dir', 'certDir'],
  ['onec', 'once'],
  ['bootstrap', 'bootstrapKubeconfig'],
]
for (const [name, meant] of misspelt)
  test(`${name} means ${meant}`, () => {
    assert.is(nearest(name, known), meant)
    assert.is(didYouMean(name, known), `did you mean ${meant}?`)
  })

test('a name that is like none of them gets all of them', () => {
  assert.is(nearest('colour', known), undefined)
  assert.is(
    didYouMean('colour', ['once', 'certDir'], (name) => `--${name}`),
    'the known ones are --once, --certDir',
  )
  assert.is(nearest('anything', []), undefined)
})

test('finds the first unknown field, and passes over what is undefined', () => {
  assert.is(unknownField({ nodeName: 'a', nodname: 'b' }, known), 'nodname')
  assert.is(unknownField({ nodeName: 'a', nodname: undefined }, known), undefined)
})
