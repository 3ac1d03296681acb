/**
 * 50 workers at full speed across 20 changes of the certificate, for each HTTP stack: with a certificate that is
 * followed, beside the same stack with one that stays, and beside what has to be paid in any case (fifty full handshakes
 * a change); client-node also as it comes. The sides take turns with each change, so that ratios say more than rates.
 *
 * `npx tsc -b && node dist/test/bench/connections.bench.js [--real] [PART OF A STACK'S NAME]...`
 *
 * Against a server of its own, or (`--real`) a kube-apiserver that is booted for it. The last request with an old
 * certificate is: how long after the change it was sent, or (`--real`) how long after it came in, which is later by what
 * the machine takes. Old connections are counted by the server's word, of how many there are at the end; a kube-apiserver
 * has none to say.
 */
import { spawnSync } from 'node:child_process'
import * as k8s from '@kubernetes/client-node'
import { newer } from '../adapters/connections/newer.js'
import { clientNodeSides } from './client-node.js'
import { measure, type Outcome, type Plan } from './measure.js'
import { realTarget } from './real.js'
import { fakeTarget } from './server.js'
import { type Contender, sidesOf } from './sides.js'
import { stacks, workers } from './stacks.js'

const real = process.argv.includes('--real')
const parts = process.argv.slice(2).filter((part) => !part.startsWith('--'))
const plan: Plan = { workers, changes: 20, turn: 1_000 }

const target = real ? await realTarget() : await fakeTarget()

const print = (stack: string, outcomes: ReadonlyArray<Outcome>): void => {
  const [first] = outcomes
  for (const { name, failed, rate, cpu, lateness, left, open } of outcomes)
    console.log(
      [
        `${stack}, ${name}`.padEnd(54),
        String(failed).padStart(6),
        rate.toFixed(0).padStart(11),
        (rate / (first?.rate ?? rate)).toFixed(2).padStart(6),
        `${cpu.toFixed(0)} µs`.padStart(11),
        (cpu / (first?.cpu ?? cpu)).toFixed(2).padStart(6),
        (Number.isFinite(lateness) ? `${lateness.toFixed(1)} ms` : 'for good').padStart(13),
        `${left ?? '?'} of ${open ?? '?'}`.padStart(15),
      ].join(' '),
    )
}

const isWanted = (stack: string): boolean => parts.length === 0 || parts.some((part) => stack.includes(part))

const run = async (stack: string, sides: ReadonlyArray<Contender>): Promise<void> => {
  if (isWanted(stack)) print(stack, await measure(target, sides, plan))
}

// Where another Node is needed, this file runs with it.
const isChild = process.env['BENCH_CHILD'] !== undefined
if (!isChild) {
  console.log(
    `${plan.workers} workers, ${plan.changes} changes, turns of ${plan.turn} ms, ${real ? target.url : 'a server of its own'}`,
  )
  console.log(
    `${'Node '.concat(process.version).padEnd(54)} failed  requests/s  ratio CPU/request  ratio last with old  old left over`,
  )
  for (const stack of stacks) {
    if (!stack.grpc || target.grpc) await run(stack.name, sidesOf(stack))
    else if (isWanted(stack.name)) console.log(`${stack.name} is left out: this server does not speak gRPC`)
  }
  await run('client-node 1.x', clientNodeSides(k8s))
}
const name = 'client-node 2.x'
if (newer._tag === 'Here') await run(name, clientNodeSides(await newer.load()))
else if (newer._tag === 'Missing') {
  if (isWanted(name)) console.log(`${name} is left out: ${newer.why}`)
} else if (isWanted(name)) {
  await target.close()
  spawnSync(newer.node, [import.meta.filename, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, BENCH_CHILD: '1' },
  })
}
await target.close()
process.exit()
