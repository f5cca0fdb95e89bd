/** Stands for a secret in a text. */
const mark = '[redacted]'

export const isRedacted = (text: string): boolean => text.includes(mark)

/**
 * Shapes by which a secret is known whatever its value is, as their issuers document them; the group `secret` is what
 * goes. Each begins where no letter stands before it, so that a long word is looked at once.
 */
const shapes: readonly RegExp[] = [
  // AWS: ids of access keys, long-lived and temporary.
  /(?<![A-Za-z0-9])(?<secret>(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})(?![A-Za-z0-9])/dg,
  // GitHub: classic, OAuth, user, server and refresh tokens; fine-grained ones.
  /(?<![A-Za-z0-9])(?<secret>gh[opusr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})/dg,
  // GitLab: personal, runner, trigger, deploy, job, feed and agent tokens.
  /(?<![A-Za-z0-9])(?<secret>gl(?:pat|rt|rtr|ptt|dt|cbt|ft|imt|agent|soat|oas|ffct)-[A-Za-z0-9_.-]{20,300})/dg,
  // Slack: tokens and addresses of web hooks.
  /(?<![A-Za-z0-9])(?<secret>(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,300})/dg,
  /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[A-Za-z0-9/_-]{20,200})/dg,
  /(?<![A-Za-z0-9])(?<secret>npm_[A-Za-z0-9]{36})(?![A-Za-z0-9])/dg,
  // JSON Web Tokens: three parts, the first two of them JSON in base64.
  /(?<![A-Za-z0-9_-])(?<secret>eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{8,2048})/dg,
  // scheme://user:password@
  /(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,30}:\/\/[^\s/:@"'<>]{0,256}:(?<secret>[^\s/@"'<>]{1,256})@/dg,
  // password=…, "client_secret": "…"
  /(?:passw(?:or)?d|passphrase|secret[_-]?access[_-]?key|client[_-]?secret|api[_-]?key|auth[_-]?token|access[_-]?token)\\?["']?[ \t]{0,3}[=:][ \t]{0,3}\\?["']?(?<secret>[^\s"'\\,;&]{3,256})/dgi,
]

/** Names of which the value is a secret, whatever it looks like. */
const secretName = /(?:^|[_.-])(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credentials?)$/i

interface Place {
  readonly from: number
  readonly to: number
}

/** Places of secrets, in order, apart from each other; what is masked already is none. */
function secretsIn(text: string): readonly Place[] {
  const found = shapes.flatMap((shape) =>
    [...text.matchAll(shape)].map((match): Place => {
      const [from, to] = match.indices!.groups!.secret!
      return { from, to }
    }),
  )
  const places: Place[] = []
  for (const place of [...found, ...privateKeys(text)].sort((a, b) => a.from - b.from)) {
    const last = places.at(-1)
    if (last && place.from < last.to) places[places.length - 1] = { from: last.from, to: Math.max(last.to, place.to) }
    else if (!isMasked(text, place)) places.push(place)
  }
  return places
}

const isMasked = (text: string, { from, to }: Place): boolean =>
  text.startsWith(mark.slice(0, -1), from) || /^[*\s]*$/.test(text.slice(from, to))

/** The longest key block, with room: an RSA key of 16384 bits has 12 KiB. */
const longestKey = 16 * 1024
const keyBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const keyText = /(?:[A-Za-z0-9+/=\s]|\\[nr]){0,16384}/y

/** What stands between the lines of a key block; of one without an end what looks like a key. */
function privateKeys(text: string): readonly Place[] {
  const places: Place[] = []
  let end = 0
  for (const match of text.matchAll(keyBegin)) {
    const from = match.index + match[0].length
    if (end >= 0 && end < from) end = text.indexOf('-----END ', from)
    keyText.lastIndex = from
    const to = end >= from && end - from <= longestKey ? end : from + keyText.exec(text)![0].length
    if (to > from) places.push({ from, to })
  }
  return places
}

/** A text with a mark in place of each secret. */
export function redactText(text: string): { readonly text: string; readonly places: number } {
  const places = secretsIn(text)
  let at = 0
  let out = ''
  for (const { from, to } of places) {
    out += text.slice(at, from) + mark
    at = to
  }
  return { text: out + text.slice(at), places: places.length }
}

/** Every text in a value of JSON; one that a member of a secret's name holds goes as a whole. */
export function redactValue(value: unknown): { readonly value: unknown; readonly places: number } {
  let places = 0
  const texts = (text: string) => {
    const redacted = redactText(text)
    places += redacted.places
    return redacted.text
  }
  const visit = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') {
      if (!secretName.test(name) || value === '' || isMasked(value, { from: 0, to: value.length })) return texts(value)
      places++
      return mark
    }
    if (Array.isArray(value)) return value.map((one) => visit(one, ''))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [texts(key), visit(one, key)]))
  }
  return { value: visit(value, ''), places }
}

/** Read at once, and held back of it: longer than any secret that is known here. */
const window = 256 * 1024
const held = 32 * 1024

/**
 * Masks the secrets in a stream of bytes, of any encoding in which ASCII is ASCII. Each of their bytes becomes `*` and
 * line ends stay: whatever counts bytes or lines of it still fits.
 */
export class StreamRedactor {
  #text = ''
  places = 0

  add(chunk: Buffer): Buffer {
    this.#text += chunk.toString('latin1')
    if (this.#text.length < window + held) return Buffer.alloc(0)
    return this.#take(this.#text.length - held)
  }

  end(): Buffer {
    return this.#take(this.#text.length)
  }

  #take(size: number): Buffer {
    let at = 0
    let out = ''
    for (const { from, to } of secretsIn(this.#text)) {
      this.places++
      out += this.#text.slice(at, from) + this.#text.slice(from, to).replace(/[^\r\n]/g, '*')
      at = to
    }
    out += this.#text.slice(at)
    this.#text = out.slice(size)
    return Buffer.from(out.slice(0, size), 'latin1')
  }
}
