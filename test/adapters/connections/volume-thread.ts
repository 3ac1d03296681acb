/** Writes a volume again and again, in turn with the files that it is given, as fast as it can. */
import { parentPort, workerData } from 'node:worker_threads'
import { writeVolume } from './volume.js'

const { volume, generations, swaps } = workerData
for (let number = 1; number <= swaps; number += 1)
  writeVolume(volume, number, generations[number % generations.length])
parentPort?.postMessage('done')
