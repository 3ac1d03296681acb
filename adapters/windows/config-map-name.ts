/** What names a ConfigMap: apart from what reads it, since flags and files are checked before anything is loaded. */
export interface ConfigMapName {
  readonly namespace: string
  readonly name: string
}

/** `kube-system/renewal-windows` */
export const configMapPattern = /^([a-z0-9][-a-z0-9]*)\/([a-z0-9][-.a-z0-9]*)$/

/** Undefined: it names none. */
export const configMapName = (text: string): ConfigMapName | undefined => {
  const [, namespace, name] = configMapPattern.exec(text) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}
