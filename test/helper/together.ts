/** Several test files in one process: `node together.js FILE...`. Each has to have a test. */
import { pathToFileURL } from 'node:url'
import { registeredTests } from './index.js'

for (const file of process.argv.slice(2)) {
  const before = registeredTests()
  await import(pathToFileURL(file).href)
  if (registeredTests() === before) throw new Error(`${file} ran no test`)
}
