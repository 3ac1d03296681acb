import { type Failure, failure } from '../../src/model/failure.js'

/** Why a control plane cannot start, or cannot have a new authority. */
export type ControlPlaneError = Failure<
  'InvalidOptions' | 'CannotListen' | 'DataDirectoryUnusable' | 'AuthorityUnusable'
>

export const cannotListen = (message: string, remedy: string): ControlPlaneError =>
  failure('CannotListen', 'later', message, remedy)

export const dataDirectoryUnusable = (message: string): ControlPlaneError =>
  failure(
    'DataDirectoryUnusable',
    'later',
    message,
    'Give a directory that this user can write, with nothing in it or what a control plane wrote there.',
  )

export const authorityUnusable = (message: string): ControlPlaneError =>
  failure(
    'AuthorityUnusable',
    'later',
    message,
    'Remove ca.crt and ca.key from the data directory: a new authority is made then.',
  )

/** What an error of the runtime says of itself, without what it was given. */
export const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error ? ('code' in thrown ? String(thrown.code) : '') || thrown.message : 'unknown error'
