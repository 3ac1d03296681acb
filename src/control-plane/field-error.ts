/**
 * What is wrong with a field, as `Status` objects say it: apimachinery/pkg/util/validation/field/errors.go.
 */
export interface FieldError {
  /** Where: `spec.usages[1]`. */
  readonly field: string
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
  /** Without the field's name. */
  readonly message: string
}

export const required = (field: string, detail = ''): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: detail === '' ? 'Required value' : `Required value: ${detail}`,
})

export const invalid = (field: string, value: string | number, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
})

export const notSupported = (field: string, value: string, supported: ReadonlyArray<string>): FieldError => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported
    .map((one) => JSON.stringify(one))
    .join(', ')}`,
})

export const duplicate = (field: string, value: string): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
})

export const forbidden = (field: string, detail: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
})

export const tooLong = (field: string, limit: number): FieldError => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${limit} bytes`,
})

/** All of them in one sentence, as `kubectl` prints them. */
export const inOneLine = (errors: ReadonlyArray<FieldError>): string => {
  const sentences = errors.map(({ field, message }) => `${field}: ${message}`)
  return sentences.length > 1 ? `[${sentences.join(', ')}]` : sentences.join('')
}
