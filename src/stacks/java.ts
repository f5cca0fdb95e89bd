import { gradleUnits } from './gradle.ts'
import { mavenUnits } from './maven.ts'
import type { Stack } from './types.ts'

/** Java with Maven or Gradle, where no build applies a Kotlin plugin. */
export const java: Stack = {
  name: 'java',
  detect: (tree, folders) => [...mavenUnits('java', tree, folders), ...gradleUnits('java', tree, folders)],
}
