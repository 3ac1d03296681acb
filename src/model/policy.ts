import { hour, type Milliseconds, minute, second } from './time.js'

/** How delays grow: `initial` doubles with each attempt up to `maximum`. */
export interface Backoff {
  readonly initial: Milliseconds
  readonly maximum: Milliseconds
}

/** How a certificate is kept alive. Every duration in ms. */
export interface RotationPolicy {
  /** false: obtain a certificate when none works, never renew one that does (`--rotate-certificates=false`). */
  readonly rotate: boolean
  /**
   * `held`: the certificate authenticates its own renewal to this API, the bootstrap credential does when it cannot.
   * `external`: the certificate is for something else (serving, a signer of one's own); requests always go out with
   * the external credential.
   */
  readonly authenticateWith: 'held' | 'external'
  /** The part of a certificate's life after which it is renewed lies between these, spread by its key. */
  readonly renewFrom: number
  readonly renewTo: number
  /** A renewal that only the deadline asked for is refused when it ends sooner than this and before the held one. */
  readonly minimumUsefulLifetime: Milliseconds
  /** Between two requests at the API, whatever their cause. */
  readonly submitInterval: Milliseconds
  /** Retries of what may pass by itself. */
  readonly retrySoon: Backoff
  /**
   * Retries where somebody said no. While a certificate works, also longer than `longestDelay`: up to a hundredth of the
   * life that it has left.
   */
  readonly retryLater: Backoff
  /**
   * No other pause after a failure, not even the server's, is longer than this, nor than a tenth of the held certificate's
   * remaining life. (`submitInterval` is none: it keeps requests apart, whatever came of them.)
   */
  readonly longestDelay: Milliseconds
  /** Between two checks that the server still accepts the held certificate; 0: never. */
  readonly probeInterval: Milliseconds
}

export const defaultPolicy: RotationPolicy = {
  rotate: true,
  authenticateWith: 'held',
  // client-go's range (nextRotationDeadline in certificate_manager.go): a tenth to a third of the life left for trouble.
  renewFrom: 0.7,
  renewTo: 0.9,
  // Shorter is not worth swapping for: Kubernetes signers hand out at least ten minutes (spec.expirationSeconds).
  minimumUsefulLifetime: 10 * minute,
  // An address that flaps, or certificates of a few seconds, cost the API six requests a minute at most.
  submitInterval: 10 * second,
  // A fleet that lost its API server finds it again within a minute, and does not trample it.
  retrySoon: { initial: second, maximum: minute },
  // A person or a controller has to act: a denied request is asked again after half a minute, then ever more slowly, down
  // to a few times a day where months are left.
  retryLater: { initial: 30 * second, maximum: 6 * hour },
  longestDelay: 10 * minute,
  // A replaced cluster CA is noticed within ten minutes by an agent that has nothing else to say.
  probeInterval: 10 * minute,
}

/** What is wrong with a policy, in words; nothing when it can be used. */
export const policyProblems = (policy: RotationPolicy): ReadonlyArray<string> => {
  const backoff = (name: string, { initial, maximum }: Backoff) =>
    initial > 0 && maximum >= initial && Number.isFinite(maximum)
      ? []
      : [`${name}: initial must be above 0 and maximum not below it`]
  return [
    ...(policy.renewFrom > 0 && policy.renewTo >= policy.renewFrom && policy.renewTo < 1
      ? []
      : ['renewFrom and renewTo must be parts of a life: 0 < renewFrom <= renewTo < 1']),
    ...(Number.isFinite(policy.minimumUsefulLifetime) && policy.minimumUsefulLifetime >= 0
      ? []
      : ['minimumUsefulLifetime must be a finite number of milliseconds, at least 0']),
    ...(policy.probeInterval === 0 || policy.probeInterval >= second
      ? []
      : ['probeInterval must be 0 (never) or at least a second']),
    ...(policy.submitInterval >= second && policy.submitInterval <= hour
      ? []
      : ['submitInterval must be between a second and an hour']),
    ...backoff('retrySoon', policy.retrySoon),
    ...backoff('retryLater', policy.retryLater),
    ...(policy.longestDelay >= second ? [] : ['longestDelay must be at least a second']),
  ]
}
