import { readFileSync } from 'node:fs'
import { assert, suite } from '../helper/index.js'
import { transcripts } from './files.js'
import { rewrite, title } from './transcript.js'
import { duration, words } from './words.js'
import { world } from './world.js'

const test = suite('transcripts')

const echo = {
  play: async (command: string) => [`did ${command}`],
  next: () => ['next: nothing'],
}

test('get the answers of now, and keep their prose and commands', async () => {
  const before = '# A story.\n\nfirst\nsecond\n----\nan old answer\n\n# More of it.\nthird\n'
  const after =
    '# A story.\n\nfirst\nsecond\n----\ndid first\ndid second\nnext: nothing\n\n# More of it.\nthird\n----\ndid third\nnext: nothing\n'
  assert.is(await rewrite(before, echo), after)
  assert.is(await rewrite(after, echo), after)
  assert.is(title(after), 'A story.')
})

test('are told apart from what the machine does by a single digit', async () => {
  const [file = ''] = transcripts().filter((path) => path.endsWith('renewal.txt'))
  const right = readFileSync(file, 'utf8')
  const wrong = right.replace('17:23:09.520Z', '17:23:09.521Z')
  assert.is.not(wrong, right)
  assert.is(await rewrite(wrong, world()), right)
})

test('refuse commands that nobody knows', async () => {
  for (const command of ['fly', 'api colour red', 'advance soon', 'fault api tired', 'at noon', 'refused']) {
    const outcome = await world()
      .play(command)
      .catch((error: unknown) => error)
    assert.instance(outcome, Error, command)
  }
})

test('have commands of words, quoted ones in one piece, and durations', () => {
  assert.equal(words('deny because "not in the inventory" now'), [
    'deny',
    'because',
    'not in the inventory',
    'now',
  ])
  assert.is(duration('1h30m'), 5_400_000)
  assert.is(duration('-250ms'), -250)
  assert.throws(() => duration('1 hour'), /no duration/)
})
