/** What must not lie about in any file of the project: silenced checks, hidden code, the hosts of a machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, finding, readSource, type Source, search } from './source.js'

/** The files of the tree at `root`: those git tracks and those that are new; undefined where there is no git. */
export const filesOfTree = (root: string): readonly string[] | undefined => {
  try {
    const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return list.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
  } catch {
    return undefined
  }
}

/** Every objection to those files; `hosts` are names that none of them may contain. */
export const treeFindings = (
  root: string,
  files: readonly string[],
  hosts: readonly string[],
): readonly Finding[] => [
  ...files.flatMap((file) => hostFindings(file, readFileSync(join(root, file), 'utf8'), hosts)),
  ...files.filter((file) => file.endsWith('.ts')).flatMap((file) => sourceFindings(readSource(root, file))),
]

const sourceFindings = (source: Source): readonly Finding[] => [
  ...search(
    source,
    'code',
    /(?<![.\w])any\b(?!\s*[(:])/g,
    () => 'has the type any; use unknown and decode it',
  ),
  ...search(
    source,
    'comments',
    /@ts-\w+/g,
    (match) => `silences the compiler with ${match}; make the types right`,
  ),
  ...search(
    source,
    'comments',
    /\b(?:c8|v8|istanbul) ignore\b|\bnode:coverage\b/g,
    (match) => `hides code from coverage with "${match}"; test it or delete it`,
  ),
  ...search(source, 'code', /\.only\s*\(/g, () => 'runs only some tests; remove .only'),
  ...search(
    source,
    'comments',
    /\b(?:TODO|FIXME|XXX)\b/g,
    (match) => `has a ${match}; do it, or file an issue`,
  ),
  ...(/^(?:src|adapters)\//.test(source.file) ? assertions(source) : []),
]

/** `x as T`, other than `as const` and the renames of imports and exports. */
const assertions = (source: Source): readonly Finding[] => {
  const renames = [...source.code.matchAll(/\b(?:import|export)\b(?:\s+type\b)?\s*[{*][^}'"]*/g)]
  return [...source.code.matchAll(/\bas\s+(?!const\b)[\w{[("']/g)]
    .filter(
      ({ index }) =>
        !renames.some((clause) => clause.index < index && index < clause.index + clause[0].length),
    )
    .map(({ index }) => finding(source, index, 'asserts a type with `as`; decode it, or narrow it by a test'))
}

const hostFindings = (file: string, text: string, hosts: readonly string[]): readonly Finding[] =>
  text
    .split('\n')
    .flatMap((line, index) => [
      ...(hosts.some((host) => line.includes(host))
        ? [`${file}:${index + 1} names the host of a package registry`]
        : []),
      ...(file.endsWith('package-lock.json') && /"resolved":\s*"\w+:/.test(line)
        ? [
            `${file}:${index + 1} says where a package was fetched; see omit-lockfile-registry-resolved in npm's manual`,
          ]
        : []),
    ])

/** The hosts from which this machine takes its packages, by the configuration of npm and apt. */
export const packageHosts = (): readonly string[] => {
  const npm = execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const folder = '/etc/apt/sources.list.d'
  const lists = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []),
  ]
  const apt = lists.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
  const hosts = [npm, ...apt].flatMap((text) =>
    [...text.matchAll(/\bhttps?:\/\/(?:[^/\s@]*@)?([^/\s]+)/g)].map(([, host = '']) => host),
  )
  return [...new Set(hosts)].filter((host) => !/^(?:localhost|127\.|\[::1\]|www\.)/.test(host))
}
