const pattern =
  /(^|[_-])(pass(word|wd|phrase)?|pwd|secrets?|token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|credentials?)$/i
const camel = /[a-z](Password|Secret|Token|ApiKey|AccessKey|PrivateKey)$/

/** A name whose value is a secret: `DB_PASSWORD`, `npm_token`; neither `TOKEN_FILE` nor `PASSWORD_POLICY`. */
export function isSecretName(name: string): boolean {
  return (
    (pattern.test(name) || camel.test(name)) &&
    !/^(allow|enable|disable|use|no|random|generate)[_-]|[_-](empty|random|onetime)[_-]|initial_cluster_token$/i.test(
      name,
    )
  )
}

/** A value that nobody has to guess: no variable, no switch, no path of a file that holds it. `$$` is a plain dollar. */
export function isLiteralSecret(value: string): boolean {
  const text = value.replaceAll('$$', '').trim()
  return (
    text !== '' &&
    !text.includes('$') &&
    !/^(true|false|yes|no|on|off|none|null|\d{1,3})$/i.test(text) &&
    !/^(\.{0,2}|~)\/[\w./-]+$/.test(text)
  )
}

/** `postgres://user:password@host`, with the password written out. */
export function holdsPassword(value: string): boolean {
  return /^[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@$]{0,200}:[^\s/@$]{1,200}@/i.test(value.trim())
}
