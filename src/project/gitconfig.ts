/** One setting of a git configuration file. Section and key in lower case, as git compares them. */
export interface GitSetting {
  readonly section: string
  readonly subsection?: string
  readonly key: string
  readonly value: string
}

/**
 * Reads the text of a git configuration file as git-config(1) describes it: quotes, escapes, comments, continued
 * lines. Includes are not followed and a line that git would refuse is left out, since what is wanted from here is
 * which folders to protect and what the project is called.
 */
export function parseGitConfig(text: string): readonly GitSetting[] {
  const settings: GitSetting[] = []
  let section = ''
  let subsection: string | undefined
  for (const raw of text
    .replace(/^\ufeff/, '')
    .replace(/\r\n/g, '\n')
    .replace(/\\\n/g, '')
    .split('\n')) {
    let line = raw.trim()
    const header = /^\[\s*([A-Za-z0-9.-]+)\s*(?:"((?:[^"\\]|\\.)*)"\s*)?\]/.exec(line)
    if (header) {
      section = header[1]!.toLowerCase()
      subsection = header[2]?.replace(/\\(.)/g, '$1')
      line = line.slice(header[0].length).trim()
    }
    const setting = /^([A-Za-z][A-Za-z0-9-]*)\s*(?:=(.*))?$/.exec(line)
    if (!setting || section === '') continue
    settings.push({
      section,
      ...(subsection === undefined ? {} : { subsection }),
      key: setting[1]!.toLowerCase(),
      value: setting[2] === undefined ? 'true' : unquote(setting[2]),
    })
  }
  return settings
}

function unquote(raw: string): string {
  let value = ''
  let length = 0
  let isQuoted = false
  for (let index = 0; index < raw.length; index++) {
    const char = raw[index]!
    if (char === '\\') {
      const escaped = raw[++index] ?? ''
      value += { n: '\n', t: '\t', b: '\b' }[escaped] ?? escaped
      length = value.length
    } else if (char === '"') {
      isQuoted = !isQuoted
      length = value.length
    } else if (!isQuoted && (char === '#' || char === ';')) {
      break
    } else if (!isQuoted && /\s/.test(char)) {
      if (value !== '') value += char
    } else {
      value += char
      length = value.length
    }
  }
  return value.slice(0, length)
}
