/** What anybody may ask about themselves: `kubectl auth whoami` and `kubectl auth can-i`. */
import * as t from 'io-ts'
import { type Attributes, type Binding, permitted, refusal } from '../../src/control-plane/index.js'
import { type Instant, rfc3339, wholeSecond } from '../../src/model/time.js'
import { okSync } from '../../src/steps.js'
import { type Call, created, type Reply, replying } from './call.js'
import { decodedBody, IncomingAccessReview } from './incoming.js'

const whoamiType = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }

export const whoami =
  (now: () => Instant) =>
  (call: Call): Reply =>
    replying(function* () {
      yield* okSync(decodedBody(whoamiType, t.UnknownRecord, call.body))
      const { name, groups, extra } = call.caller
      return created({
        ...whoamiType,
        metadata: { creationTimestamp: rfc3339(wholeSecond(now())) },
        status: { userInfo: { username: name, groups, ...(extra === undefined ? {} : { extra }) } },
      })
    })

const accessType = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' }

export const canI =
  (bindings: ReadonlyArray<Binding>) =>
  (call: Call): Reply =>
    replying(function* () {
      const review = yield* okSync(decodedBody(accessType, IncomingAccessReview, call.body))
      const { resourceAttributes, nonResourceAttributes } = review.spec ?? {}
      const attributes: Attributes =
        nonResourceAttributes === undefined || nonResourceAttributes === null
          ? {
              _tag: 'Resource',
              verb: resourceAttributes?.verb ?? '',
              group: resourceAttributes?.group ?? '',
              resource: resourceAttributes?.resource ?? '',
              subresource: resourceAttributes?.subresource ?? '',
            }
          : {
              _tag: 'Path',
              verb: nonResourceAttributes.verb ?? '',
              path: nonResourceAttributes.path ?? '',
            }
      const allowed = permitted(bindings, call.caller, attributes)
      const { _tag: _, ...asked } = attributes
      return created({
        ...accessType,
        metadata: {},
        spec: attributes._tag === 'Path' ? { nonResourceAttributes: asked } : { resourceAttributes: asked },
        status: allowed ? { allowed } : { allowed, reason: refusal(call.caller, attributes) },
      })
    })
