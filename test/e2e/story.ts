import { eventually } from '../helper/index.js'

/** What both the program's log lines and the library's transitions have. */
interface Step {
  readonly reason?: string | undefined
  readonly csr?: string | undefined
}

/** What one agent has told so far, and a place in it: what was asked for last. */
export interface Story<A extends Step> {
  readonly steps: readonly A[]
  /** The next step with this reason, told already or still to come. `deadline` in ms. */
  readonly next: (reason: string, deadline?: number) => Promise<A>
  /** The name of the request in such a step. */
  readonly nextRequest: (reason: string, deadline?: number) => Promise<string>
}

export interface Telling<A extends Step> {
  readonly story: Story<A>
  readonly tell: (step: A) => void
  /** Nothing more will be told; `why` is what is said to those who wait. */
  readonly end: (why: string) => void
}

/** How long an agent may take for what it can do at once; the machine may be busy with other things. */
const PATIENCE = 30_000
/** The same where a controller manager has to find its API server again: it looks ever more rarely, up to 30 s. */
export const RECOVERY = 60_000

/** An empty story; `who` tells it, for messages about what did not happen. */
export const createStory = <A extends Step>(who: string): Telling<A> => {
  const steps: A[] = []
  let read = 0
  let over: string | undefined

  const next = async (reason: string, deadline = PATIENCE): Promise<A> => {
    const from = read
    const found = (): A | undefined => {
      const index = steps.findIndex((step, at) => at >= from && step.reason === reason)
      if (index >= 0) read = index + 1
      else if (over !== undefined) throw new Error(`${who} ended without ${reason}: ${over}`)
      return steps[index]
    }
    return eventually(`${who} tells ${reason}`, found, { deadline })
  }
  return {
    tell: (step) => steps.push(step),
    end: (why) => {
      over = why
    },
    story: {
      steps,
      next,
      nextRequest: async (reason, deadline) => {
        const step = await next(reason, deadline)
        if (step.csr === undefined) throw new Error(`${JSON.stringify(step)} names no request`)
        return step.csr
      },
    },
  }
}
