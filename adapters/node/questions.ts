/**
 * What other processes may ask the one that holds a certificate directory, by the names of the questions; whoever may
 * write there may ask. `status` and `explain` ask for a snapshot.
 */
import type { IO } from 'fp-ts/lib/IO.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Json } from '../../src/model/codec.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { type Answerer, type Question, unknownQuestion } from '../filesystem/index.js'

/** Each question with how it is answered. */
export type Questions = Readonly<Record<string, (question: Question) => TE.TaskEither<Failure<string>, Json>>>

export interface Desk {
  readonly answer: Answerer
  /** From now on these are answered; they are made when somebody asks. */
  readonly open: (questions: IO<Questions>) => void
}

/** Answers nothing yet: a directory is taken before there is a rotation to ask about. */
export const desk = (): Desk => {
  let questions: IO<Questions> | undefined
  return {
    open: (opened) => {
      questions = opened
    },
    answer: (question) => {
      if (questions === undefined) return TE.left(starting)
      const known = questions()
      const answer = Object.hasOwn(known, question.ask) ? known[question.ask] : undefined
      return answer === undefined ? TE.left(unknownQuestion(question.ask)) : answer(question)
    },
  }
}

const starting = failure('Starting', 'soon', 'the rotation is only just starting', 'ask again in a second')
