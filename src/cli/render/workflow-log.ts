/** What .NET may pass over when it compares texts: controls, marks, characters of no width. */
const ignored = '[\\p{C}\\p{M}]*'
const command = new RegExp(`^[\\s\\p{C}\\p{M}]*:${ignored}:`, 'u')
const oldCommand = new RegExp(`#(${ignored}#${ignored})\\[`, 'gu')

/** Whether what is printed is the log of a workflow, where the runner takes some lines as commands. */
export const isWorkflowLog = (env: NodeJS.ProcessEnv): boolean => env.GITHUB_ACTIONS === 'true'

/**
 * Text of a log in which no line is a command to the runner: a file of a repository can be called
 * `::stop-commands::x`. It takes `::` behind leading blanks, and `##[` anywhere in a line (actions/runner,
 * src/Runner.Common/ActionCommand.cs, read in 2026); a line of it also ends at a lone \r.
 */
export function withoutCommands(text: string): string {
  return text
    .split(/(\r?\n|\r)/)
    .map((line, index) =>
      index % 2 === 1 ? line : (command.test(line) ? `│ ${line}` : line).replace(oldCommand, '#$1 ['),
    )
    .join('')
}

/** The same of one document of JSON: `##[` can only stand in a string of it, where an escape means the same. */
export const jsonWithoutCommands = (text: string): string => text.replace(oldCommand, '#$1\\u005b')
