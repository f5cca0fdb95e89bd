import type { Tree } from '../project/types.ts'
import { type Span, spanAt } from '../util/diagnostics.ts'
import { inDir } from './unit.ts'

/** A requirements file of pip. */
export interface Requirements {
  readonly file: string
  /** Package names in PEP 503 form. */
  readonly names: readonly string[]
  /** The first line that fixes no version; undefined when the file is as good as a lock file. */
  readonly loose: Span | undefined
  /** True when it installs the project itself (`-e .`). */
  readonly hasProject: boolean
}

const places = [
  ...[
    'requirements.txt',
    'requirements-dev.txt',
    'requirements_dev.txt',
    'dev-requirements.txt',
    'dev_requirements.txt',
  ],
  ...[
    'requirements-test.txt',
    'requirements_test.txt',
    'test-requirements.txt',
    'requirements-tests.txt',
    'requirements-lint.txt',
  ],
  ...['requirements/requirements.txt', 'requirements/base.txt', 'requirements/main.txt', 'requirements/dev.txt'],
  ...[
    'requirements/development.txt',
    'requirements/test.txt',
    'requirements/tests.txt',
    'requirements/lint.txt',
    'requirements/local.txt',
  ],
]

/** What is beyond it in a line is not looked at: a hostile line must not take long. */
const lengthLimit = 4000

/** The name of a package as PEP 503 compares it. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}

/** The requirements files of a folder that pip would be given for development. */
export function readRequirements(tree: Tree, dir: string): readonly Requirements[] {
  return places.flatMap((name) => {
    const file = inDir(dir, name)
    const text = tree.text(file)
    return text === undefined ? [] : [parse(file, text)]
  })
}

function parse(file: string, text: string): Requirements {
  const names: string[] = []
  let loose: Span | undefined
  let hasProject = false
  const lines = text.replace(/^\ufeff/, '').split('\n')
  for (let index = 0; index < lines.length; index++) {
    const number = index + 1
    let line = lines[index]!.trimEnd()
    while (line.endsWith('\\') && index + 1 < lines.length) line = line.slice(0, -1) + lines[++index]!.trimEnd()
    const entry = line
      .slice(0, lengthLimit)
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
    if (/^(?:(?:-e|--editable)[ =]?\s*)?\.(?:\[[^\]]*\])?$/.test(entry)) hasProject = true
    if (entry === '' || entry.startsWith('-') || entry.startsWith('.')) continue
    const name = /^([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(entry)?.[1]
    if (name !== undefined) names.push(normalName(name))
    if (!isFixed(entry)) loose ??= spanAt(file, text, number)
  }
  return { file, names, loose, hasProject }
}

/** `name==1.2` and `name @ https://…#sha256=…`; `==1.*` leaves the version open. */
function isFixed(entry: string): boolean {
  return (
    /^[A-Za-z0-9._-]+\s*(?:\[[^\]]*\]\s*)?={2,3}\s*[^\s*,;]+\s*(?:;|--hash|$)/.test(entry) ||
    /@\s*\S+(?:#sha256=|@[0-9a-f]{40})/.test(entry)
  )
}
