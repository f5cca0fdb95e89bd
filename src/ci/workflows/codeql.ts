import { byCodeUnit } from '../../util/text.ts'
import { expression, type Job, plain, type Workflow } from '../model/index.ts'
import { type CiInput, fileOf } from './input.ts'
import { action, checkout, harden } from './steps.ts'

/** What CodeQL calls the languages of a stack; kotlin needs a build that it can watch, all others are read as they are. */
const languages: Readonly<Record<string, readonly string[]>> = {
  node: ['javascript-typescript'],
  python: ['python'],
  rust: ['rust'],
  go: ['go'],
  java: ['java-kotlin'],
  kotlin: ['java-kotlin'],
  tauri: ['javascript-typescript', 'rust'],
}

/** codeql.yml: a job for each language, and one for the workflows themselves. */
export function codeqlWorkflow(input: CiInput): Workflow {
  const all = new Set(['actions', ...input.units.flatMap(({ stack }) => languages[stack] ?? [])])
  return {
    file: fileOf(input, 'codeql'),
    name: `${input.ci.prefix}codeql`,
    about: [],
    on: { pull_request: [], merge_group: true, push: { branches: [input.ci.defaultBranch] }, schedule: '41 4 * * 1' },
    concurrency: {
      group: expression`format('dwf-codeql-{0}', github.event_name == 'pull_request' && github.ref || github.sha)`,
      cancel: expression`github.event_name == 'pull_request'`,
    },
    jobs: Object.fromEntries([...all].sort(byCodeUnit).map((language) => [language, analyze(input, language)])),
  }
}

function analyze(input: CiInput, language: string): Job {
  const isBuilt =
    language === 'go' || (language === 'java-kotlin' && input.units.some(({ stack }) => stack === 'kotlin'))
  const stacks = input.units.filter(({ stack }) => languages[stack]?.includes(language)).map(({ stack }) => stack)
  return {
    about: `CodeQL reads ${language === 'actions' ? 'the workflows' : language}.`,
    name: language,
    timeoutMinutes: 60,
    permissions: {
      actions: { access: 'read', why: 'CodeQL reads the run in private repositories' },
      contents: { access: 'read', why: 'to check out the repository' },
      'security-events': { access: 'write', why: 'to upload findings' },
    },
    steps: [
      harden(input, [], isBuilt ? stacks : undefined),
      checkout(input),
      action(input, 'github/codeql-action', 'Start CodeQL', {
        folder: 'init',
        with: { languages: plain(language), 'build-mode': isBuilt ? 'autobuild' : 'none' },
      }),
      action(input, 'github/codeql-action', 'Analyze', {
        folder: 'analyze',
        with: { category: `/language:${language}` },
      }),
    ],
  }
}
