import type { Uses, WorkflowFile } from '../../scan/rules/workflow-model.ts'
import { isAction, isPartOf, repositoryOf, versionIn } from '../reading/versions.ts'
import type { LintModel, LintRule, Seen } from './types.ts'

/** What is not pinned at all is found by the rules of the gates, DWF-ACTIONS-001 to 003. */
export const pinRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-005',
    severity: 'warning',
    title: 'A comment says which version a commit is',
    hint: 'put the version behind it: OWNER/NAME@SHA # v1.2.3',
    look: (model) =>
      pinned(model).flatMap(({ uses, name, sha, said }): readonly Seen[] => {
        if (said !== undefined) return []
        const version = model.known.versionOf(name, sha)
        return [
          {
            at: uses.at,
            message: `${uses.text}: no comment says which version it is`,
            ...(version === undefined ? {} : { hint: `put the version behind it: # ${version}` }),
          },
        ]
      }),
  },
  {
    id: 'DWF-CI-006',
    severity: 'error',
    title: 'The version in the comment is that of the commit',
    hint: 'find out which of the two is meant, and correct the other',
    look: (model) =>
      pinned(model).flatMap(({ uses, name, sha, said }): readonly Seen[] => {
        const version = model.known.versionOf(name, sha)
        if (said === undefined || version === undefined || isPartOf(said, version)) return []
        // One commit may have several tags.
        if (model.known.commitOf(name, said)?.toLowerCase() === sha) return []
        return [{ at: uses.at, message: `${uses.text}: the comment says ${said}, and the commit is ${version}` }]
      }),
  },
  {
    id: 'DWF-CI-007',
    severity: 'error',
    title: 'Nothing runs that somebody has warned of',
    hint: 'use another version, and look at what the runs with this one had access to',
    look: ({ file, known }) =>
      allUses(file).flatMap((uses) => {
        if (!isAction(uses)) return []
        const name = repositoryOf(uses)
        const why = known.denied(name, uses.ref) ?? deniedCommit(known, name, uses.ref)
        return why === undefined ? [] : [{ at: uses.at, message: `${uses.text} must not run: ${why}` }]
      }),
  },
  {
    id: 'DWF-CI-023',
    severity: 'error',
    title: 'No actions of the repository itself',
    hint: 'write its steps into the job, or make it a reusable workflow in .github/workflows',
    look: ({ file }) => {
      const calls = new Set(file.jobs.map((job) => job.calls))
      return allUses(file).flatMap((uses) => {
        if (uses.kind !== 'local') return []
        if (calls.has(uses) && /^\.\/\.github\/workflows\/[^/]+\.ya?ml$/.test(uses.text)) return []
        return [{ at: uses.at, message: `${uses.text}: what it does depends on what was checked out` }]
      })
    },
  },
]

/** Each once, however many aliases there are of it. */
export function allUses({ jobs, steps }: WorkflowFile): readonly Uses[] {
  const all = [...jobs.flatMap(({ calls }) => calls ?? []), ...steps.flatMap(({ step }) => step.uses ?? [])]
  return [...new Map(all.map((uses) => [uses.at, uses])).values()]
}

function deniedCommit(known: LintModel['known'], name: string, ref: string): string | undefined {
  const sha = known.commitOf(name, ref)
  return sha === undefined ? undefined : known.denied(name, sha)
}

function pinned({ file, lineOf, comments }: LintModel) {
  return allUses(file).flatMap((uses) => {
    if (!isAction(uses) || !uses.isPinned) return []
    const said = versionIn(comments.get(lineOf(uses.at))?.text ?? '')
    return [{ uses, name: repositoryOf(uses), sha: uses.ref.toLowerCase(), said }]
  })
}
