import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { ClientCredential, Credentials } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'
import { type Check, ensure, refused, same, worked } from './check.js'

/** A credential of somebody else's, new for each check. */
export interface CredentialsSubject {
  readonly credentials: Credentials
  /** Puts another one in its place, where it comes from. */
  readonly replace: () => Promise<void>
  /** The same where there is none to be had. */
  readonly unavailable: Credentials
}

/** What is sent, in the open. */
const shown = ({ token, clientCertificate }: ClientCredential) => ({
  token: O.toUndefined(token)?.reveal(),
  certificate: O.toUndefined(clientCertificate)?.pem,
})

/** What every source of credentials does. `open` gives one that no check has used. */
export const credentialsContract = (open: () => Promise<CredentialsSubject>): ReadonlyArray<Check> => {
  const current = ({ credentials }: CredentialsSubject) =>
    worked('current', credentials.current(interruption().signal))
  return [
    {
      name: 'there is a credential: a token, or a certificate with its key; and it stays while nobody replaces it',
      run: async () => {
        const subject = await open()
        const found = await current(subject)
        ensure(O.isSome(found.token) || O.isSome(found.clientCertificate), 'there is nothing to send in it')
        same('the second one', shown(await current(subject)), shown(found))
      },
    },
    {
      name: 'after a rejection another one is answered where there is one, once for all who wait',
      run: async () => {
        const subject = await open()
        const before = await current(subject)
        await subject.replace()
        subject.credentials.wasRejected(before)()
        const [one, other] = await Promise.all([current(subject), current(subject)])
        ensure(!isSame(one, before), 'the rejected one is answered again, and another one is there')
        same('what the other one got', shown(other), shown(one))
      },
    },
    {
      name: 'a late rejection of one that has been replaced says nothing about its successor',
      run: async () => {
        const subject = await open()
        const before = await current(subject)
        await subject.replace()
        subject.credentials.wasRejected(before)()
        const successor = await current(subject)
        subject.credentials.wasRejected(before)()
        same('the successor', shown(await current(subject)), shown(successor))
      },
    },
    {
      name: 'who waits is answered Interrupted when the signal is given, also if that was before',
      run: async () => {
        const { credentials } = await open()
        const { signal, interrupt } = interruption()
        const waiting = credentials.current(signal)()
        interrupt()
        const outcome = await waiting
        ensure(E.isRight(outcome) || outcome.left._tag === 'Interrupted', 'it is another error')
        const tag = await refused('asking after the signal', credentials.current(signal))
        ensure(tag === 'Interrupted', `the error is ${tag}`)
      },
    },
    {
      name: 'one that cannot be had is NoCredential, and nothing is thrown',
      run: async () => {
        const { unavailable } = await open()
        const tag = await refused('current', unavailable.current(interruption().signal))
        ensure(tag === 'NoCredential', `the error is ${tag}`)
      },
    },
  ]
}

const isSame = (one: ClientCredential, other: ClientCredential): boolean =>
  JSON.stringify(shown(one)) === JSON.stringify(shown(other))
