import { custom } from './custom.ts'
import { go } from './go.ts'
import { java } from './java.ts'
import { kotlin } from './kotlin.ts'
import { node } from './node.ts'
import { python } from './python.ts'
import { rust } from './rust.ts'
import { tauri } from './tauri.ts'
import type { Stack } from './types.ts'

/** The stacks that ship with dwf, in the order in which people are shown them. */
export const stacks: readonly Stack[] = [node, python, rust, go, java, kotlin, tauri, custom]
