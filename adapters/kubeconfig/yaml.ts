import * as E from 'fp-ts/lib/Either.js'
import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { type KubeconfigError, problem } from './problem.js'

/** An alias may stand for that many nodes, all counted; a kubeconfig written by a program has none. */
const maxAliasCount = 100

/**
 * The value that YAML or JSON text stands for. Its errors tell the line, never the text there, which may be a secret.
 */
export const parseYaml = (file: string, text: string): E.Either<KubeconfigError, unknown> =>
  E.mapLeft((what: string) =>
    problem({ file, at: '' }, what, 'write it again, for instance with kubectl config'),
  )(yamlValue(text))

/** The same, where an error is the end of the sentence "the document …". */
export const yamlValue = (text: string): E.Either<string, unknown> => {
  const refuse = (what: string) => E.left(what)
  const lines = new LineCounter()
  try {
    // The library's own check for repeated keys takes quadratic time.
    const options = {
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
      lineCounter: lines,
    } as const
    const document = parseDocument(text, options)
    const [error] = document.errors
    if (error !== undefined) {
      const { line } = lines.linePos(error.pos[0])
      return refuse(`is not YAML: ${error.code} in line ${line}`)
    }
    const repeated = repeatedKey(document)
    if (repeated !== undefined) return refuse(`has a key twice, in line ${lines.linePos(repeated).line}`)
    return E.right(document.toJS({ maxAliasCount }))
  } catch {
    // Aliases that multiply, or nesting that no kubeconfig has.
    return refuse('is too intricate YAML')
  }
}

/** Where in the text a mapping has a key for the second time. */
const repeatedKey = (document: Document.Parsed): number | undefined => {
  let offset: number | undefined
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          offset = key.range?.[0] ?? 0
          return visit.BREAK
        }
        seen.add(key.value)
      }
      return undefined
    },
  })
  return offset
}
