import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A tool of the test world or of the machine; undefined when it is nowhere: then what needs it is skipped. */
export function findTool(name: string): string | undefined {
  const folders = [
    join(process.env.DWF_WORLD ?? '/var/tmp/dwf-world', 'bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
