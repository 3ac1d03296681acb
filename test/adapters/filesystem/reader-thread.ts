/** Reads `-current.pem` in a tight loop until it is told to stop; answers how often, and what it saw that was wrong. */
import { parentPort, workerData } from 'node:worker_threads'
import { nameInFile } from './material.js'

const shared: { readonly path: string; readonly stop: Int32Array } = workerData
const wrong = new Set<string>()
const seen = new Set<string>()
let reads = 0
while (Atomics.load(shared.stop, 0) === 0) {
  reads += 1
  try {
    const name = nameInFile(shared.path)
    seen.add(name)
    if (name.includes(' ')) wrong.add(name)
  } catch (error) {
    wrong.add(String(error))
  }
}
parentPort?.postMessage({ reads, different: seen.size, wrong: [...wrong] })
