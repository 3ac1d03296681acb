/**
 * The public surface: every name that a subpath of the package exports, with its declaration as the compiler emits it,
 * and where it comes from. Kept in `api.txt`; a change shows there as a diff, and is accepted by
 * `node dist/test/checks/api.js --write`. The same declarations with their docstrings are adapters/REFERENCE.md.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

const root = join(import.meta.dirname, '../../..')

interface Declaration {
  /** The file of the source, relative to the root. */
  readonly file: string
  readonly documentation: string
  readonly code: string
}
type Exports = ReadonlyMap<string, Declaration>

const Manifest = t.type({ exports: t.record(t.string, t.type({ types: t.string })) })

/** Each top-level statement of a declaration file, with the comment before it: tsc begins each in the first column. */
const statementsOf = (
  text: string,
): ReadonlyArray<{ readonly documentation: string; readonly code: string }> =>
  [
    ...text.matchAll(
      /^(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?((?:export|import|declare|type|interface|const|class|enum)\b[\s\S]*?)(?=^(?:\/\*\*|export\b|import\b|declare\b|type\b|interface\b|const\b|class\b|enum\b|\/\/#)|$(?![\s\S]))/gm,
    ),
  ].map(([, documentation = '', code = '']) => ({ documentation: documentation.trim(), code: code.trim() }))

const known = new Map<string, Exports>()

/** What a declaration file exports, by name, through other files of the package too. */
const exportsOf = (path: string): Exports => {
  const before = known.get(path)
  if (before !== undefined) return before
  const found = new Map<string, Declaration>()
  known.set(path, found)
  const file = relative(join(root, 'dist'), path).replace(/\.d\.ts$/, '.ts')
  const add = (name: string, documentation: string, code: string) => {
    const earlier = found.get(name)
    const join = (one: string, other: string) => [one, other].filter((part) => part !== '').join('\n')
    // A codec and the type of the same name; overloads.
    found.set(name, {
      file,
      documentation: join(earlier?.documentation ?? '', documentation),
      code: join(earlier?.code ?? '', code),
    })
  }
  const target = (specifier: string) => join(dirname(path), specifier.replace(/\.js$/, '.d.ts'))
  for (const { documentation, code } of statementsOf(readFileSync(path, 'utf8'))) {
    const from = /\bfrom\s+'(\.[^']+)';?$/.exec(code)?.[1]
    const named = /^export (?:type )?\{([\s\S]*?)\}/.exec(code)?.[1]
    const namespace = /^export \* as (\w+)/.exec(code)?.[1]
    const declared =
      /^export (?:declare )?(?:abstract )?(?:const|let|function|class|interface|type|enum) (\w+)/.exec(code)
    if (namespace !== undefined && from !== undefined)
      for (const [name, one] of exportsOf(target(from))) found.set(`${namespace}.${name}`, one)
    else if (code.startsWith('export *') && from !== undefined)
      for (const [name, one] of exportsOf(target(from))) found.set(name, one)
    else if (named !== undefined)
      for (const part of named
        .split(',')
        .map((text) => text.trim())
        .filter((text) => text !== '')) {
        const [, inner = '', outer = inner] = /^(?:type )?(\w+)(?: as (\w+))?$/.exec(part) ?? []
        const one = from === undefined ? undefined : exportsOf(target(from)).get(inner)
        found.set(outer, one ?? { file, documentation: '', code: code.replaceAll(/\s+/g, ' ') })
      }
    else if (declared?.[1] !== undefined) add(declared[1], documentation, code)
    else if (code.startsWith('export ') && code !== 'export {};')
      throw new Error(`${path}: ${code} is exported in a way that is not known here`)
  }
  return found
}

/** A declaration by the name that it has in its file. */
interface Declared extends Declaration {
  readonly name: string
}

const declaration =
  /^(?:export )?(?:declare )?(?:abstract )?(?:const|let|function|class|interface|type|enum) (\w+)/

const pathOf = (file: string): string => join(root, 'dist', file.replace(/\.ts$/, '.d.ts'))

/** What a declaration file declares, exported or not, and what it imports from the package: file and name there. */
const scopeOf = (file: string) => {
  const declared = new Map<string, string>()
  const imported = new Map<string, readonly [file: string, name: string]>()
  for (const { code } of statementsOf(readFileSync(pathOf(file), 'utf8'))) {
    const name = declaration.exec(code)?.[1]
    if (name !== undefined) declared.set(name, [declared.get(name) ?? '', code].join('\n').trim())
    const [, names = '', from] = /^import (?:type )?\{([\s\S]*?)\} from '(\.[^']+)'/.exec(code) ?? []
    for (const part of from === undefined ? [] : names.split(',')) {
      const [, inner = '', outer = inner] = /^(?:type )?(\w+)(?: as (\w+))?$/.exec(part.trim()) ?? []
      imported.set(outer, [join(dirname(file), from?.replace(/\.js$/, '.ts') ?? ''), inner])
    }
  }
  return { declared, imported }
}
const scopes = new Map<string, ReturnType<typeof scopeOf>>()
const scope = (file: string) => {
  const found = scopes.get(file) ?? scopeOf(file)
  scopes.set(file, found)
  return found
}

/** Where a name of a file is declared; undefined: outside of the package. */
const declaredAs = (file: string, name: string): Declared | undefined => {
  const { declared, imported } = scope(file)
  const code = declared.get(name)
  if (code !== undefined) return { file, name, documentation: '', code }
  const [from, inner] = imported.get(name) ?? []
  if (from !== undefined && inner !== undefined) return declaredAs(from, inner)
  // A file that only passes it on.
  const there = exportsOf(pathOf(file)).get(name)
  return there === undefined || there.file === file ? undefined : declaredAs(there.file, name)
}

/** What the exported declarations speak of, and what that speaks of, without what is exported. */
const spokenOf = (all: ReadonlyMap<string, Exports>): ReadonlyArray<Declared> => {
  const exported = [...all.values()].flatMap((exports) => [...exports.values()])
  const keyOf = ({ file, name }: Declared) => `${file} ${name}`
  const seen = new Set(exported.map(({ file, code }) => `${file} ${declaration.exec(code)?.[1] ?? ''}`))
  const found: Array<Declared> = []
  const waiting: Array<Declaration> = [...exported]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, code } = next
    if (!file.endsWith('.ts') || !existsSync(pathOf(file))) continue
    const { declared, imported } = scope(file)
    const words = bare(code).match(/(?<![.\w'"])\w+(?!\w|\??:)/g) ?? []
    const names = new Set(words.filter((word) => declared.has(word) || imported.has(word)))
    const elsewhere = [...code.matchAll(/import\("(\.[^"]+)"\)\.(\w+)/g)].map(([, from = '', name = '']) =>
      declaredAs(join(dirname(file), from.replace(/\.js$/, '.ts')), name),
    )
    for (const one of [...[...names].map((name) => declaredAs(file, name)), ...elsewhere]) {
      if (one === undefined || seen.has(keyOf(one))) continue
      seen.add(keyOf(one))
      found.push(one)
      waiting.push(one)
    }
  }
  return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** What each subpath exports. */
export const surface = (): ReadonlyMap<string, Exports> => {
  const manifest = Manifest.decode(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  if (E.isLeft(manifest)) throw new Error('package.json has no exports with types')
  return new Map(
    Object.entries(manifest.right.exports).map(([subpath, { types }]) => [
      `kube-cert-rotation${subpath.slice(1)}`,
      exportsOf(join(root, types)),
    ]),
  )
}

const sorted = (exports: Exports) => [...exports].sort(([a], [b]) => (a < b ? -1 : 1))

/** Without comments: what a caller can rely on. */
const bare = (code: string): string =>
  code.replaceAll(/^[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/[ \t]*\n?/gm, '').replaceAll(/\n\s*\n/g, '\n')

/** The report. A name that several subpaths have is written out where it comes first; then what these names speak of. */
export const reportOf = (all: ReadonlyMap<string, Exports>): string =>
  [exportedIn(all), '== spoken of, not exported', '', ...spokenOf(all).map(written), ''].join('\n')

const written = ({ name, file, code }: Declared): string =>
  `${name} (${file})\n${bare(code).replaceAll(/^/gm, '  ')}`

const exportedIn = (all: ReadonlyMap<string, Exports>): string => {
  const told = new Map<Declaration, string>()
  const lines: Array<string> = []
  for (const [subpath, exports] of all) {
    lines.push(`== ${subpath}`, '')
    for (const [name, declaration] of sorted(exports)) {
      const where = told.get(declaration)
      lines.push(
        where === undefined
          ? `${name}\n${bare(declaration.code).replaceAll(/^/gm, '  ')}`
          : `${name}: as in ${where}`,
      )
      if (where === undefined) told.set(declaration, subpath)
    }
    lines.push('')
  }
  return lines.join('\n')
}

/** The page: docstrings and declarations. */
export const referenceOf = (all: ReadonlyMap<string, Exports>): string => {
  const told = new Map<Declaration, string>()
  const lines = [
    '# Reference of the library',
    '',
    'Every public name, by subpath, from the docstrings. Generated: `node dist/test/checks/api.js --write`. Metrics and log',
    'fields: [metrics](metrics/README.md), [operating](command-line/README.md). Flags: [the program](command-line/REFERENCE.md).',
    '',
  ]
  for (const [subpath, exports] of all) {
    lines.push(`## ${subpath}`, '')
    for (const [name, declaration] of sorted(exports)) {
      const where = told.get(declaration)
      if (where !== undefined) lines.push(`### ${name}`, '', `As in \`${where}\`.`, '')
      else {
        const { documentation, code } = declaration
        lines.push(
          `### ${name}`,
          '',
          '```text',
          ...(documentation === '' ? [] : [documentation]),
          code,
          '```',
          '',
        )
      }
      told.set(declaration, where ?? subpath)
    }
  }
  return `${lines.join('\n').trimEnd()}\n`
}

const files: ReadonlyArray<readonly [path: string, text: (all: ReadonlyMap<string, Exports>) => string]> = [
  ['test/checks/api.txt', reportOf],
  ['adapters/REFERENCE.md', referenceOf],
]

/** Which of the files are not what the declarations say. */
export const apiFindings = (): ReadonlyArray<string> =>
  files.flatMap(([path, text]) =>
    readFileSync(join(root, path), 'utf8') === text(surface())
      ? []
      : [
          `${path} is not what is exported: if that is meant, run node dist/test/checks/api.js --write, and read the diff`,
        ],
  )

if (process.argv[1] === import.meta.filename && process.argv.includes('--write'))
  for (const [path, text] of files) writeFileSync(join(root, path), text(surface()))
