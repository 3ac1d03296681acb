/**
 * What a running rotation knows of itself, as JSON for another process: everything that `status`, `explain` and a
 * support case need, and nothing secret. A reader of another version, to whom the facts say nothing, still has the
 * sentences.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { FactsCodec, PolicyCodec } from '../machine/codec.js'
import type { Facts } from '../machine/facts.js'
import { stateOf } from '../machine/machine.js'
import { InstantText, type Json, nullable, type Problem, problemOf } from '../model/codec.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Instant } from '../model/time.js'
import { explain } from './explain.js'

/** A change to what a field means is a new version; a further field is not. */
export const snapshotVersion = 1

/** A line of the log. */
const ToldCodec = t.strict({ at: InstantText, level: t.string, reason: t.string, message: t.string })
export type Told = t.TypeOf<typeof ToldCodec>

const OutlineCodec = t.strict({
  version: t.number,
  at: InstantText,
  state: t.string,
  explanation: t.string,
  /** The last lines of the log, the oldest first. */
  recent: t.readonlyArray(ToldCodec),
  /** What has to be known before it can be said what is wanted, as `explain` takes it. */
  awaited: nullable(t.string),
  /** Connections that follow it, by the certificate that they carry; none: nothing that counts them follows. */
  connections: nullable(t.strict({ current: t.number, earlier: t.number, none: t.number })),
})

const KnownCodec = t.strict({ policy: PolicyCodec, facts: FactsCodec })

/** What a rotation knows, by which every sentence about it can be made again. */
export interface Known {
  readonly policy: RotationPolicy
  readonly facts: Facts
}

export interface Snapshot extends t.TypeOf<typeof OutlineCodec> {
  /** None: it was written by another version, and this one cannot read it. */
  readonly known: O.Option<Known>
}

/** A snapshot of now. */
export const snapshotOf = (
  { policy, facts }: Known,
  now: Instant,
  { recent, connections, awaited }: Pick<Snapshot, 'recent' | 'connections' | 'awaited'>,
): Snapshot => ({
  version: snapshotVersion,
  at: now,
  state: stateOf(policy)(facts, now)._tag,
  explanation: explain(policy, facts, now, awaited),
  recent,
  awaited,
  connections,
  known: O.some({ policy, facts }),
})

export const printSnapshot = (snapshot: Snapshot): Json => ({
  ...OutlineCodec.encode(snapshot),
  ...(O.isSome(snapshot.known) ? KnownCodec.encode(snapshot.known.value) : {}),
})

export const readSnapshot = (json: unknown): E.Either<Problem, Snapshot> =>
  pipe(
    OutlineCodec.decode(json),
    E.bimap(problemOf, (outline) => ({
      ...outline,
      known: outline.version === snapshotVersion ? O.fromEither(KnownCodec.decode(json)) : O.none,
    })),
  )
