import { setTimeout as sleep } from 'node:timers/promises'
import type { Draft } from '../../src/model/request.js'
import type { CertificateSigningRequests, Identity } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'
import { type Check, ensure, refused, same, worked } from './check.js'

/** An API that approves nothing by itself, and whom its requests go out as. */
export interface RequestsSubject {
  readonly requests: CertificateSigningRequests
  readonly identity: Identity
  /** A new request for a kubelet's client certificate. */
  readonly draft: () => Promise<Draft>
}

const never = interruption().signal

/** What every way to the CertificateSigningRequest API does. */
export const requestsContract = ({ requests, identity, draft }: RequestsSubject): ReadonlyArray<Check> => [
  {
    name: 'a new request is Pending, and sent again it is the same one',
    run: async () => {
      const mine = await draft()
      const first = await worked('submit', requests.submit(identity, mine, never))
      same('its condition', first.condition._tag, 'Pending')
      const again = await worked('submit', requests.submit(identity, mine, never))
      same('its uid', again.uid, first.uid)
    },
  },
  {
    name: 'another request of the same name is NameTaken',
    run: async () => {
      const [mine, other] = [await draft(), await draft()]
      await worked('submit', requests.submit(identity, mine, never))
      const taken = requests.submit(identity, { ...other, name: mine.name }, never)
      same('the error', await refused('submit', taken), 'NameTaken')
    },
  },
  {
    name: 'what waits is Interrupted soon after its signal',
    run: async () => {
      const mine = await draft()
      const sent = await worked('submit', requests.submit(identity, mine, never))
      const { signal, interrupt } = interruption()
      const waiting = requests.observe(identity, { ...mine, ...sent }, 'Pending', signal)()
      await sleep(20)
      interrupt()
      const late = sleep(5_000, 'late', { ref: false })
      const outcome = await Promise.race([waiting, late])
      ensure(typeof outcome !== 'string', 'it still waits five seconds after its signal')
      same('the answer', outcome, { _tag: 'Left', left: { _tag: 'Interrupted' } })
    },
  },
  {
    name: 'a probe with a good credential is accepted',
    run: () => worked('probe', requests.probe(identity, never)),
  },
]
