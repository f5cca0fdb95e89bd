import type { Diagnostic } from '../util/diagnostics.ts'
import { actionData } from './action-data.ts'
import { refusalOf } from './actions.ts'
import { placeOf } from './places.ts'
import { shippedPins } from './shipped.ts'
import type { Lock, ToolPin } from './types.ts'

/** What devflow.lock names and must not run, each an error at its place: actions, and images of tools. */
export async function deniedInLock(lock: Lock): Promise<readonly Diagnostic[]> {
  const tools = lock.tools.flatMap((tool) => deniedImage(tool) ?? [])
  if (lock.actions.length === 0) return tools
  const data = await actionData()
  return [...lock.actions.flatMap((pin) => refusalOf(data, pin) ?? []), ...tools]
}

function deniedImage(tool: ToolPin): Diagnostic | undefined {
  const version = /:v?([^:@]+)@/.exec(tool.image ?? '')?.[1]
  const shipped = shippedPins.tools.find(({ name }) => name === tool.name)
  if (version === undefined || ![...tool.denied, ...(shipped?.denied ?? [])].includes(version)) return undefined
  const where = placeOf(tool, 'image')
  return {
    severity: 'error',
    code: 'denied-tool',
    message: `${tool.name} ${version} must not run: it is known to be hijacked or broken`,
    hint: `write an image of ${tool.name} ${shipped?.minimum ?? tool.minimum} or newer`,
    ...(where ? { where } : {}),
  }
}
