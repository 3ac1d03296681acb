/** Writes the answers into the simulator's README: `npx tsc -b && node dist/test/src/simulator/write.js [NAME]...` */
import { readFile, writeFile } from 'node:fs/promises'
import { answer, page, questions, rewritten } from './answers.js'

const wanted = process.argv.slice(2)
for (const [name] of questions) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const block = await answer(name)
  await writeFile(page, rewritten(await readFile(page, 'utf8'), name, block))
  console.log(name)
}
