/**
 * adapters/command-line/REFERENCE.md: every command and flag, as `--help` prints them from their tables.
 *
 * `node dist/test/checks/flags.js --write` writes it anew.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')
const page = join(root, 'adapters/command-line/REFERENCE.md')
const main = join(root, 'dist/adapters/command-line/main.js')

const help = (...command: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, [main, ...command, '--help'], { encoding: 'utf8' })

/** The page as it should be. */
export const flagsReference = (): string => {
  const commands = [...help().matchAll(/^ {2}([a-z-]+) /gm)].map(([, name = '']) => name)
  return [
    '# Reference of the program',
    '',
    'Every command and flag. Generated: `node dist/test/checks/flags.js --write`.',
    '',
    ...commands.flatMap((name) => [`## ${name}`, '', '```text', help(name).trimEnd(), '```', '']),
  ].join('\n')
}

/** What is wrong with the page; nothing when it is current. */
export const flagsFinding = (): string | undefined =>
  readFileSync(page, 'utf8') === flagsReference()
    ? undefined
    : 'adapters/command-line/REFERENCE.md is not what --help prints: run node dist/test/checks/flags.js --write'

if (process.argv[1] === import.meta.filename && process.argv.includes('--write'))
  writeFileSync(page, flagsReference())
