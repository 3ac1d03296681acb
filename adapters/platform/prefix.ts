/** What the names of files in a certificate directory may begin with. */
export const prefixPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
