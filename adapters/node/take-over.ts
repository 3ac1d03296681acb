/** The certificate that a kubeconfig brings along, which the rotation goes on with. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { keyring } from '../../src/driver/keyring.js'
import { load } from '../../src/driver/load.js'
import type { Ports } from '../../src/driver/perform.js'
import type { Held, RequestedRotation } from '../../src/machine/facts.js'
import { expired } from '../../src/model/certificate.js'
import type { StoreError } from '../../src/model/failure.js'
import { ok, steps } from '../../src/steps.js'
import type { KubeconfigError } from '../kubernetes/index.js'
import type { Following } from './kubeconfigs.js'

type Replacement = O.Option<RequestedRotation['why']>

/**
 * A certificate that the kubeconfig brings along goes into a store that has none; either way the kubeconfig points to
 * the store from then on, so that nobody goes on with the first certificate when it has been renewed (kubernetes
 * 99645). Where the store has one, but not where the kubeconfig points (`kubelet-client.crt` and `.key`), that of the
 * kubeconfig goes before it, as with a kubelet. Answers why the certificate is to be replaced at once, if it is.
 */
export const takeOver = (
  { store, crypto, clock }: Pick<Ports, 'store' | 'crypto' | 'clock'>,
  { pair, leadsSomewhere, follow }: Pick<Following, 'pair' | 'leadsSomewhere' | 'follow'>,
): TE.TaskEither<StoreError | KubeconfigError, Replacement> =>
  steps(async function* () {
    if (O.isNone(pair) && leadsSomewhere) return O.none
    const now = clock.now()
    const loaded = await load({ store, crypto, clock }, keyring())()
    const isUsable =
      E.isRight(loaded) && O.exists(({ certificate }: Held) => !expired(certificate, now))(loaded.right.held)
    if (O.isNone(pair))
      return isUsable ? O.some('there is no certificate where the kubeconfig points') : O.none
    yield* ok(loaded)
    if (isUsable && leadsSomewhere) {
      yield* ok(follow)
      return O.none
    }
    const chain = await crypto.parseChain(pair.value.pem)()
    // The kubeconfig counts as usable only when its certificate could be read and belongs to its key.
    if (E.isLeft(chain)) return O.none
    yield* ok(store.install({ ...chain.right, key: pair.value.key, receivedAt: now }))
    yield* ok(follow)
    return O.some('the certificate came from the kubeconfig')
  })
