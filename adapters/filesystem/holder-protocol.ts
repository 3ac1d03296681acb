/**
 * What is said over the socket of a lock. Whoever holds it says a line of JSON about itself to everybody who connects
 * (`Holder`). Who has a question then sends one line, `{"to":"NAME OF THE SOCKET","ask":"snapshot"}`, and has one line back:
 * `{"answer":…}`, or `{"error":{"kind":…,"message":…,"remedy":…}}`, also for what is not known. `to` is there because
 * many directories of a process share a socket. A holder that answers no questions, or one of an earlier version, has
 * said its line and closes.
 */
import { connect, type Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import type { Json } from '../../src/model/codec.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { second } from '../../src/model/time.js'
import type { Holder } from './lock-holder.js'

const QuestionCodec = t.type({ to: t.string, ask: t.string })

/** A question to a holder: its name, and what belongs to it. */
export type Question = Readonly<Record<string, unknown>> & { readonly ask: string }

/** Answers what a holder is asked. */
export type Answerer = (question: Question) => TaskEither<Failure<string>, Json>

/**
 * So long a question is waited for, ms; who sends none only wanted the line. An earlier version reads until it is closed,
 * and waits a second for that.
 */
const graceOfQuestion = 900
/** So long who was answered, or asked nothing, may take to read that and to close, ms. */
const graceOfFarewell = 2 * second
const longestQuestion = 64 * 1024
const longestAnswer = 4 * 1024 * 1024

/** Says who it is, and answers one question. */
export const converse = (
  socket: Socket,
  self: Holder,
  answererOf: (to: string) => Answerer | undefined,
): void => {
  let text = ''
  let isAsked = false
  socket.unref()
  socket.on('error', () => {})
  let timer: NodeJS.Timeout | undefined
  // Ends it, also with who goes on without a line break, does not read, or never closes.
  const dismiss = () => {
    clearTimeout(timer)
    socket.end()
    timer = setTimeout(() => socket.destroy(), graceOfFarewell).unref()
  }
  timer = setTimeout(dismiss, graceOfQuestion).unref()
  socket.on('close', () => clearTimeout(timer))
  socket.on('end', () => {
    if (!isAsked) dismiss()
  })
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    if (isAsked) return
    text += chunk
    const end = text.indexOf('\n')
    if (end === -1 && text.length <= longestQuestion) return
    isAsked = true
    clearTimeout(timer)
    const reply = (answer: Json) => {
      socket.write(`${JSON.stringify(answer)}\n`)
      dismiss()
    }
    answerTo(text.slice(0, end), answererOf).then(reply, () => socket.destroy())
  })
  socket.write(`${JSON.stringify(self)}\n`)
}

const answerTo = async (line: string, answererOf: (to: string) => Answerer | undefined): Promise<Json> => {
  const json = E.tryCatch(
    (): unknown => JSON.parse(line),
    () => undefined,
  )
  const question = QuestionCodec.decode(E.isRight(json) ? json.right : undefined)
  if (E.isLeft(question)) return errorOf(badQuestion)
  const { to, ...rest } = question.right
  const answer = answererOf(to)
  if (answer === undefined) return errorOf(nobodyThere)
  const outcome = await answer(rest)()
  return E.isLeft(outcome) ? errorOf(outcome.left) : { answer: outcome.right }
}

const errorOf = ({ _tag, message, remedy }: Failure<string>): Json => ({
  error: { kind: _tag, message, remedy },
})

const badQuestion = failure(
  'BadQuestion',
  'later',
  'that is no question',
  'send {"to":…,"ask":…} and a line break',
)
const nobodyThere = failure('NotHeld', 'soon', 'nothing is held under that name', 'ask for the holder again')

export const unknownQuestion = (ask: string): Failure<'UnknownQuestion'> =>
  failure(
    'UnknownQuestion',
    'later',
    `the process that holds the directory does not know the question ${JSON.stringify(ask)}`,
    'start it again with the version of this program',
  )

const AnswerCodec = t.union([
  t.type({ error: t.type({ kind: t.string, message: t.string, remedy: t.string }) }),
  t.type({ answer: t.unknown }),
])

/** Asks the holder that listens at `path` under a name; `Unanswered`: it closed, or had not answered after `patience` ms. */
export const askAt =
  (
    path: string,
    question: Readonly<Record<string, Json>> & { readonly to: string; readonly ask: string },
    patience = 5 * second,
  ): TaskEither<Failure<string>, unknown> =>
  () =>
    new Promise((resolve) => {
      const lines: Array<string> = ['']
      const socket = connect(path)
      socket.setEncoding('utf8')
      const end = () => {
        clearTimeout(timer)
        socket.destroy()
        resolve(readAnswer(lines[1]))
      }
      // From the beginning to the end, however slowly bytes drip in.
      const timer = setTimeout(end, patience)
      socket.on('error', () => {})
      socket.once('close', end)
      let length = 0
      socket.on('data', (chunk: string) => {
        length += chunk.length
        if (length > longestAnswer) return end()
        const [rest = '', ...more] = chunk.split('\n')
        lines[lines.length - 1] += rest
        if (more.length > 0 && lines.length === 1) socket.write(`${JSON.stringify(question)}\n`)
        lines.push(...more)
        if (lines.length > 2) end()
      })
    })

const readAnswer = (line = ''): E.Either<Failure<string>, unknown> => {
  const json = E.tryCatch(
    (): unknown => JSON.parse(line),
    () => undefined,
  )
  const answer = AnswerCodec.decode(E.isRight(json) ? json.right : undefined)
  if (E.isLeft(answer)) return E.left(unanswered)
  if (!('error' in answer.right)) return E.right(answer.right.answer)
  const { kind, message, remedy } = answer.right.error
  return E.left(failure(kind, 'later', message, remedy))
}

const unanswered = failure(
  'Unanswered',
  'soon',
  'the process that holds the directory does not answer',
  'it may be of an earlier version, or busy; its log says more',
)
