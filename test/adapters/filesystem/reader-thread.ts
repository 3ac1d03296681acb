/** Reads `-current.pem` in a tight loop until it is told to stop; answers how often, and what it saw that was wrong. */
import { parentPort, workerData } from 'node:worker_threads'
import { nameInFile } from './material.js'

const shared: { readonly path: string; readonly stop: Int32Array; readonly reads: Int32Array } = workerData
const wrong = new Set<string>()
const seen = new Set<string>()
while (Atomics.load(shared.stop, 0) === 0) {
  try {
    const name = nameInFile(shared.path)
    seen.add(name)
    if (name.includes(' ')) wrong.add(name)
  } catch (error) {
    wrong.add(String(error))
  }
  Atomics.add(shared.reads, 0, 1)
}
parentPort?.postMessage({ reads: Atomics.load(shared.reads, 0), different: seen.size, wrong: [...wrong] })
