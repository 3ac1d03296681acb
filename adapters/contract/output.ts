import { isDeepStrictEqual } from 'node:util'
import type { Output, OutputContent } from '../../src/ports.js'
import { type Check, ensure, refused, same, worked } from './check.js'

/** An output that nothing has been written to, new for each check. */
export interface OutputSubject {
  readonly output: Output
  /** What is there now, as who uses it reads it; undefined: nothing. */
  readonly read: () => Promise<unknown>
  /** Two different certificates to write. */
  readonly contents: readonly [OutputContent, OutputContent]
  /** The same where nothing can be written. */
  readonly unwritable: Output
}

/** What every output does. `open` gives one that no check has used. */
export const outputContract = (open: () => Promise<OutputSubject>): ReadonlyArray<Check> => [
  {
    name: 'what is written is there, and the output says what it is',
    run: async () => {
      const { output, read, contents } = await open()
      same('what is there at first', await read(), undefined)
      await worked('write', output.write(contents[0]))
      ensure((await read()) !== undefined, 'nothing is there')
      ensure(output.name !== '', 'it has no name')
    },
  },
  {
    name: 'again is the same as once, and the next certificate takes the place of the one before',
    run: async () => {
      const { output, read, contents } = await open()
      const [first, second] = contents
      await worked('write', output.write(first))
      const once = await read()
      await worked('write again', output.write(first))
      same('what is there after the second time', await read(), once)
      await worked('write the next one', output.write(second))
      ensure(!isDeepStrictEqual(await read(), once), 'the one before is still there')
      await worked('write the first one again', output.write(first))
      same('what is there in the end', await read(), once)
    },
  },
  {
    name: 'a write that is described and not run changes nothing',
    run: async () => {
      const { output, read, contents } = await open()
      output.write(contents[0])
      same('what is there', await read(), undefined)
    },
  },
  {
    name: 'one that cannot be written is OutputUnwritable, and nothing is thrown',
    run: async () => {
      const { unwritable, contents } = await open()
      const tag = await refused('write', unwritable.write(contents[0]))
      ensure(tag === 'OutputUnwritable', `the error is ${tag}`)
    },
  },
]
