import { gradleUnits } from './gradle.ts'
import { mavenUnits } from './maven.ts'
import type { Stack } from './types.ts'

/** Kotlin with Gradle or Maven: a build that applies a Kotlin plugin, whatever Java lies beside it. */
export const kotlin: Stack = {
  name: 'kotlin',
  detect: (tree, folders) => [...mavenUnits('kotlin', tree, folders), ...gradleUnits('kotlin', tree, folders)],
}
