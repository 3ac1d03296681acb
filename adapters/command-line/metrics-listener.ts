import * as E from 'fp-ts/lib/Either.js'
import { minute } from '../../src/model/time.js'
import { type Address, type Listener, type MetricsSource, serveMetrics } from '../metrics/index.js'
import type { Level } from './output.js'

export interface ServingOptions {
  readonly address: Address
  readonly source: MetricsSource
  readonly say: (level: Level, message: string) => void
}

/** Serves metrics and health. An address that cannot be had is told, and tried again each minute: no reason to end a rotation. */
export const keepServing = ({
  address,
  source,
  say,
}: ServingOptions): { readonly close: () => Promise<void> } => {
  let retry: NodeJS.Timeout | undefined
  let listener: Listener | undefined
  let isTold = false
  let isClosed = false

  const attempt = async (): Promise<void> => {
    const outcome = await serveMetrics(address, source)()
    if (E.isLeft(outcome)) {
      if (isClosed) return
      const { message, remedy } = outcome.left
      if (!isTold) say('warn', `${message}; ${remedy}; it is tried again, and the rotation goes on`)
      isTold = true
      retry = setTimeout(() => void attempt(), minute).unref()
      return
    }
    if (isClosed) return outcome.right.close()
    listener = outcome.right
    say('info', `metrics and health are served at ${listener.url}/metrics, /livez, /readyz, /healthz`)
  }

  const begun = attempt()
  return {
    close: async () => {
      isClosed = true
      clearTimeout(retry)
      await begun
      await listener?.close()
    },
  }
}
