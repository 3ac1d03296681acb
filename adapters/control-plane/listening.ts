import type { Server } from 'node:https'
import * as E from 'fp-ts/lib/Either.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type ControlPlaneError, cannotListen, reasonOf } from './error.js'

/** Listens on the loopback address alone; answers the port. */
export const listen =
  (server: Server, port: number): TaskEither<ControlPlaneError, number> =>
  () =>
    new Promise((resolve) => {
      const doing = `the control plane cannot listen on 127.0.0.1, port ${port}`
      const remedy = 'Give a port that is free, or 0 for any.'
      const fail = (thrown: unknown): void =>
        resolve(E.left(cannotListen(`${doing}: ${reasonOf(thrown)}`, remedy)))
      server.once('error', fail)
      try {
        server.listen(port, '127.0.0.1', () => {
          server.off('error', fail)
          const address = server.address()
          resolve(E.right(typeof address === 'object' && address !== null ? address.port : port))
        })
      } catch (thrown) {
        fail(thrown)
      }
    })

/** How long an answer under way may take before its connection is cut, ms. */
const grace = 200

/** Stops listening and ends every connection. Again is the same as once. */
export const stopListening =
  (server: Server): Task<void> =>
  () =>
    new Promise((resolve) => {
      const cut = setTimeout(() => server.closeAllConnections(), grace)
      server.close(() => {
        clearTimeout(cut)
        resolve()
      })
      server.closeIdleConnections()
    })
