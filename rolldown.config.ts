import { defineConfig } from 'rolldown'

/** One bundle without run-time dependencies; what a command does not need stays in chunks of its own. */
export default defineConfig({
  input: { cli: 'src/cli.ts' },
  platform: 'node',
  external: [/^node:/],
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', minify: false, cleanDir: true },
})
