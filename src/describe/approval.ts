import type { Draft } from '../model/request.js'
import { kubeletClientSigner } from '../model/template.js'

/** A clause on how a request is approved that kube-controller-manager leaves alone; empty for the one kind that it approves. */
export const approvalByHand = ({ name, template }: Draft): string =>
  template.signerName === kubeletClientSigner
    ? ''
    : `; kube-controller-manager approves none for ${template.signerName}, so somebody has to: kubectl certificate approve ${name}`
