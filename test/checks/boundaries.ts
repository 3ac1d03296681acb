/**
 * The boundaries of the design: arrows point inwards, and `src/` is pure. A textual check: it finds
 * honest mistakes, not somebody who hides a clock on purpose.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { type Finding, finding, importsOf, readSources, type Source, search } from './source.js'

/** Adapters that put parts together, and may therefore import other adapters. */
const PUT_TOGETHER = ['node', 'control-plane', 'command-line']
/** What every adapter may stand on. */
const GROUND = 'platform'
/** Other arrows between adapters. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  kubernetes: ['connections', 'kubeconfig'],
  kubeconfig: ['credentials'],
  outputs: ['kubeconfig'],
  windows: ['kubernetes', 'kubeconfig'],
}

/** Every arrow and every impurity that the design forbids in the tree at `root`; dist/ must be current. */
export const boundaryFindings = (root: string): readonly Finding[] => {
  const core = readSources(root, 'src')
  const adapters = readSources(root, 'adapters')
  const packages = runtimeDependencies(root)
  return [
    ...core.flatMap((source) => [...coreArrows(source), ...impurities(source)]),
    ...core.flatMap((source) => declarations(root, source)),
    ...adapters.flatMap((source) => adapterArrows(source, packages)),
  ]
}

const coreArrows = (source: Source): readonly Finding[] =>
  importFindings(source, (specifier) => {
    if (specifier.startsWith('.')) {
      return resolve(source.file, specifier).startsWith('src/')
        ? undefined
        : 'the core imports nothing outside src/'
    }
    if (/^fp-ts\/lib\/(?:Date|Random|Console)\.js$/.test(specifier)) return `effects: ${behindAPort}`
    if (/^fp-ts\/lib\/\w+\.js$/.test(specifier) || /^io-ts(?:\/lib\/\w+\.js)?$/.test(specifier))
      return undefined
    return /^fp-ts\b/.test(specifier)
      ? byModule
      : `the core imports fp-ts, io-ts and src/, nothing else: ${behindAPort}`
  })

const adapterArrows = (source: Source, packages: readonly string[]): readonly Finding[] => {
  const self = source.file.split('/')[1] ?? ''
  return importFindings(source, (specifier) => {
    if (specifier.startsWith('.')) {
      const [top, other = ''] = resolve(source.file, specifier).split('/')
      if (top === 'src') return undefined
      if (top !== 'adapters') return 'adapters import src/ and adapters/, nothing else of this tree'
      const allowed =
        other === self || other === GROUND || PUT_TOGETHER.includes(self) || ARROWS[self]?.includes(other)
      return allowed
        ? undefined
        : `adapters/${self} may not know adapters/${other}: let a port in src/ports.ts stand between`
    }
    if (specifier.startsWith('node:') || /^fp-ts\/lib\/\w+\.js$/.test(specifier)) return undefined
    if (/^fp-ts\b/.test(specifier)) return byModule
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    return packages.includes(name)
      ? undefined
      : `${name} is no runtime dependency (Node's own modules are written node:…)`
  })
}

const behindAPort = 'put it behind a port in src/ports.ts and into an adapter'
const byModule = "import fp-ts by module: import * as TE from 'fp-ts/lib/TaskEither.js'"

const importFindings = (
  source: Source,
  objection: (specifier: string) => string | undefined,
): readonly Finding[] => [
  ...importsOf(source).flatMap(({ offset, specifier }) => {
    const found = objection(specifier)
    return found === undefined ? [] : [finding(source, offset, `imports ${specifier}; ${found}`)]
  }),
  ...search(
    source,
    'code',
    /\bimport\s*\(\s*[^'"\s]|\brequire\s*\(/g,
    () => 'imports a computed name; write it out',
  ),
  ...search(
    source,
    'comments',
    /^\/\/\/\s*<reference\b.*/gm,
    () => 'reference directive; import what is needed',
  ),
]

/** `../time.js` seen from `src/control-plane/signer.ts` is `src/time.js`. */
const resolve = (file: string, specifier: string): string =>
  new URL(specifier, `file:///${file}`).pathname.slice(1)

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [
    /\bDate\.now\b|\bnew\s+Date\b(?!\s*\(\s*[^)\s])|(?<!new\s+)\bDate\(/g,
    'reads the clock; take `now` as an argument',
  ],
  [
    /\bMath\.random\b|\bcrypto\.(?:getRandomValues|randomUUID|subtle)\b/g,
    'is random; derive it from a hash, or take it as an argument',
  ],
  [
    /(?<!\.)\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b|\bT\.delay\b/g,
    'is a timer; use the clock port',
  ],
  [
    /(?<![.\w])(?:process|console|performance|globalThis|fetch|Buffer|navigator)\b(?!\s*:)/g,
    `is the outside world; ${behindAPort}`,
  ],
  [
    /\.(?:get(?:FullYear|Month|Date|Day|Hours|Minutes|TimezoneOffset)|toLocale\w*)\b|\bIntl\b/g,
    "depends on the machine's zone or language; use UTC and plain text",
  ],
  [
    /^(?:(?:export )?(?:const|let|var)\b[^\n=]*=\s*)?(?:await\b|new\s+Promise\b|Promise\.|void\b|;?\(async\b)/gm,
    'starts when the module is loaded; put it in a function',
  ],
  [/^(?:export )?let\b|^(?:export )?var\b/gm, 'is state of the module; states are values that are passed on'],
]

const impurities = (source: Source): readonly Finding[] =>
  IMPURE.flatMap(([pattern, cure]) =>
    search(source, 'code', pattern, (match) => `\`${oneLine(match)}\` ${cure}`),
  )

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** An embedder without @types/node must be able to compile against the core. */
const declarations = (root: string, { file }: Source): readonly Finding[] => {
  const emitted = `dist/${file.replace(/\.ts$/, '.d.ts')}`
  if (!existsSync(join(root, emitted))) return [`${emitted}:1 is missing; build first (npm run build)`]
  return readFileSync(join(root, emitted), 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      /\bNodeJS\.|\bBuffer\b|['"]node:|<reference\b/.test(line)
        ? [`${emitted}:${index + 1} names a Node type; write the type down in ${file}`]
        : /\bPromise</.test(line)
          ? [`${emitted}:${index + 1} gives a bare promise away; make it a Task or a TaskEither in ${file}`]
          : [],
    )
}

const Packages = t.record(t.string, t.string)
const Manifest = t.intersection([
  t.type({ dependencies: Packages }),
  t.partial({ peerDependencies: Packages }),
])

/** Bundled into what is published, so that they are no dependencies of its users. */
const BUNDLED = ['asn1js', 'pkijs', 'yaml']

const runtimeDependencies = (root: string): readonly string[] => {
  const manifest = Manifest.decode(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  if (E.isLeft(manifest)) throw new Error('package.json has no dependencies')
  return [...Object.keys({ ...manifest.right.dependencies, ...manifest.right.peerDependencies }), ...BUNDLED]
}
