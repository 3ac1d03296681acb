/** Writes one certificate after the other into an output, as fast as it can, until it is killed. */
import { outputDirectory } from '../../../adapters/outputs/index.js'
import { content } from './content.js'

const [, , directory = '', from = '0', to = 'Infinity'] = process.argv
const output = outputDirectory(directory, { mode: 0o640 })
for (let number = Number(from); number < Number(to); number += 1) {
  const outcome = await output.write(content(`generation-${number}`, { ca: `ca-${number}` }))()
  if (outcome._tag === 'Left') throw new Error(outcome.left.message)
}
