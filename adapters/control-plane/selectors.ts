/** Field and label selectors: which requests a list or a watch is about. */
import * as E from 'fp-ts/lib/Either.js'
import { okSync, stepsSync } from '../../src/steps.js'
import type { SigningRequest } from './signing-request.js'
import * as status from './status.js'

export type Selected = (request: SigningRequest) => boolean

type Value = (request: SigningRequest) => string | undefined

/** pkg/registry/certificates/certificates/strategy.go (`SelectableFields`). */
const fields: ReadonlyMap<string, Value> = new Map([
  ['metadata.name', ({ metadata }: SigningRequest) => metadata.name],
  ['spec.signerName', ({ spec }: SigningRequest) => spec.signerName],
])

const requirement = /^([^=!,]+)(==|=|!=)([^=!,]*)$/

/** `a=b,c!=d`; left: 400. */
const selector = (
  text: string,
  valueFor: (key: string) => Value | undefined,
): E.Either<status.Status, Selected> => {
  const tests: Array<Selected> = []
  for (const part of text.split(',').filter((one) => one !== '')) {
    const [, key = '', operator, expected] = requirement.exec(part) ?? []
    const value = valueFor(key)
    if (value === undefined)
      return E.left(status.badRequest(`selector not supported here: ${part.slice(0, 100)}`))
    tests.push((request) => (value(request) === expected) === (operator !== '!='))
  }
  return E.right((request) => tests.every((test) => test(request)))
}

/** The requests that a query's `fieldSelector` and `labelSelector` choose; left: 400. */
export const selected = (query: URLSearchParams): E.Either<status.Status, Selected> =>
  stepsSync(function* () {
    const byField = yield* okSync(selector(query.get('fieldSelector') ?? '', (key) => fields.get(key)))
    const byLabel = yield* okSync(
      selector(query.get('labelSelector') ?? '', (key) =>
        key === '' ? undefined : ({ metadata }) => metadata.labels?.[key],
      ),
    )
    return (request) => byField(request) && byLabel(request)
  })
