/**
 * What rotations say, for whoever listens in this process with `node:diagnostics_channel`. While nobody does, nothing is
 * made or published.
 */
import { channel } from 'node:diagnostics_channel'
import type { Step, Transition } from '../../src/describe/transition.js'

/** Which rotation a message is about. */
export interface RotationName {
  /** Undefined: the store is the embedder's. */
  readonly certDir: string | undefined
  readonly certPrefix: string
}

/** What is published on each channel. */
export interface Messages {
  /** Each change of what is known, with the facts before and after. */
  readonly 'kube-cert-rotation:step': { readonly rotation: RotationName; readonly step: Step }
  /** Each line of the log. */
  readonly 'kube-cert-rotation:transition': {
    readonly rotation: RotationName
    readonly transition: Transition
  }
  /** Something looks wrong and is no failure. */
  readonly 'kube-cert-rotation:warning': { readonly rotation: RotationName; readonly message: string }
}

const channels = {
  'kube-cert-rotation:step': channel('kube-cert-rotation:step'),
  'kube-cert-rotation:transition': channel('kube-cert-rotation:transition'),
  'kube-cert-rotation:warning': channel('kube-cert-rotation:warning'),
}

/** Publishes a message, where somebody listens. */
export const publish = <Name extends keyof Messages>(name: Name, message: Messages[Name]): void => {
  if (channels[name].hasSubscribers) channels[name].publish(message)
}
