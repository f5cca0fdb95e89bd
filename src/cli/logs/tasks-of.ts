import { parseCommand } from '../../config/commands.ts'
import type { Plan, TaskId } from '../../plan/types.ts'

/** Tasks that a word means: by their id, by their command, or as the cells of a matrix. */
export function tasksOf({ tasks }: Pick<Plan, 'tasks'>, word: string): readonly TaskId[] {
  if (tasks.some(({ id }) => id === word)) return [word]
  const command = parseCommand(word)
  const text = typeof command === 'string' ? word : command.text
  return tasks.filter((task) => task.command === text || task.workflow?.matrix?.base === word).map(({ id }) => id)
}
