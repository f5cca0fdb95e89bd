import type { ToolchainRecipe } from './types.ts'
export const toolchains: Readonly<Record<string, ToolchainRecipe>> = {}
