import type { RotationOptions, RunningRotation, Transition } from '../../adapters/node/index.js'
import type { TestContext } from '../helper/index.js'
import type { Node } from './node.js'
import { library } from './package.js'
import { createStory, type Story } from './story.js'

/** The library at work in this process. */
export type Embedded = RunningRotation & Story<Transition>

/**
 * Delays that an embedder may choose, and that a test can wait for: a second before the next attempt, where the
 * program's are up to half a minute.
 */
export const impatient = {
  submitInterval: 1_000,
  retryLater: { initial: 1_000, maximum: 1_000 },
} satisfies RotationOptions['policy']

/** Starts a rotation on a node from the installed package, of its client certificate if nothing else is said; ended with the test. */
export const embed = async (
  { defer, signal }: TestContext,
  node: Node,
  policy: RotationOptions['policy'] = {},
  what: Pick<RotationOptions, 'nodeName' | 'template' | 'certPrefix'> = { nodeName: node.name },
): Promise<Embedded> => {
  const { startRotation } = await library()
  const { story, tell, end } = createStory<Transition>(node.name)
  const rotation = await startRotation({
    ...what,
    certDir: node.certDir,
    kubeconfig: node.kubeconfig,
    bootstrapKubeconfig: node.bootstrapKubeconfig,
    policy,
    onTransition: tell,
  })
  rotation.ended.then(
    () => end('it was stopped'),
    (error: Error) => end(error.message),
  )
  defer(async () => {
    const said = ({ at, from, to, reason, message }: Transition) =>
      `  ${at.toISOString()} ${from} → ${to} ${reason}: ${message}`
    if (signal.aborted) console.error([`${node.name} said:`, ...story.steps.slice(-20).map(said)].join('\n'))
    await rotation.stop()
  })
  return { ...rotation, ...story }
}
