/**
 * adapters/command-line/config.schema.json: the JSON schema of the file of `--config`, from its codec.
 *
 * `node dist/test/checks/schema.js --write` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configuration } from '../../adapters/command-line/config.js'

const file = join(import.meta.dirname, '../../../adapters/command-line/config.schema.json')

/** The schema as it should be. */
export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'the file of kube-cert-rotation run --config',
  ...configuration.schema,
}

const text = `${JSON.stringify(configSchema, undefined, 2)}\n`

/** What is wrong with the file; nothing when it is current. */
export const schemaFinding = (): string | undefined =>
  readFileSync(file, 'utf8') === text
    ? undefined
    : 'adapters/command-line/config.schema.json is not what the codec says: run node dist/test/checks/schema.js --write'

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) writeFileSync(file, text)
