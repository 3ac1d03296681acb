/** The kubelet's. */
export const defaultCertDir = '/var/lib/kubelet/pki'
