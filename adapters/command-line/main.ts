#!/usr/bin/env node
import { isMainThread } from 'node:worker_threads'
import { program } from './program.js'
import { processSignals } from './signals.js'

// A thread of the simulator, which has this file too where all is bundled into one.
if (isMainThread) {
  const signals = processSignals()
  signals.end(await program(process.argv.slice(2), signals))
} else await import('../simulator/run.js')
