/**
 * adapters/command-line/REFERENCE.md: every command and flag, as `--help` prints them from their tables.
 *
 * `node dist/test/checks/flags.js --write` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finishedHere } from '../adapters/command-line/in-process.js'

const root = join(import.meta.dirname, '../../..')
const page = join(root, 'adapters/command-line/REFERENCE.md')

const help = async (...command: ReadonlyArray<string>): Promise<string> =>
  (await finishedHere(...command, '--help')).stdout

/** The page as it should be. */
export const flagsReference = async (): Promise<string> => {
  const commands = [...(await help()).matchAll(/^ {2}([a-z-]+) /gm)].map(([, name = '']) => name)
  const pages = await Promise.all(
    commands.map(async (name) => [`## ${name}`, '', '```text', (await help(name)).trimEnd(), '```', '']),
  )
  return [
    '# Reference of the program',
    '',
    'Every command and flag. Generated: `node dist/test/checks/flags.js --write`.',
    '',
    ...pages.flat(),
  ].join('\n')
}

/** What is wrong with the page; nothing when it is current. */
export const flagsFinding = async (): Promise<string | undefined> =>
  readFileSync(page, 'utf8') === (await flagsReference())
    ? undefined
    : 'adapters/command-line/REFERENCE.md is not what --help prints: run node dist/test/checks/flags.js --write'

if (process.argv[1] === import.meta.filename && process.argv.includes('--write'))
  writeFileSync(page, await flagsReference())
