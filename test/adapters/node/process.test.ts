import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { assert, suite } from '../../helper/index.js'
import { world } from './world.js'

const test = suite('process of an embedder')
const entry = join(import.meta.dirname, '../../../adapters/node/index.js')

/** Runs a module until it ends by itself; its output, its exit code, and when it ended after its last word (ms). */
const runToItsEnd = (code: string): Promise<{ output: string; exit: number | null; lingered: number }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    let last = performance.now()
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      last = performance.now()
    })
    child.on('error', reject)
    child.on('close', (exit) => resolve({ output, exit, lingered: performance.now() - last }))
  })

test('ends by itself once the rotation is stopped', async (context) => {
  const { bootstrapKubeconfig, certDir } = await world(context)
  const { output, exit, lingered } = await runToItsEnd(`
    import { startRotation } from ${JSON.stringify(entry)}
    const rotation = await startRotation({
      nodeName: 'a',
      bootstrapKubeconfig: ${JSON.stringify(bootstrapKubeconfig)},
      certDir: ${JSON.stringify(certDir)},
    })
    const { commonName } = await rotation.issued()
    await rotation.stop()
    console.log(commonName)
  `)
  assert.is(output, 'system:node:a\n')
  assert.is(exit, 0)
  assert.ok(lingered < 500, `it went on for ${lingered} ms`)
})
