import { defineConfig } from 'rolldown'
import { writeNotices } from './scripts/notices.ts'

/** One bundle without run-time dependencies; what a command does not need stays in chunks of its own. */
export default defineConfig({
  input: { cli: 'src/cli.ts' },
  platform: 'node',
  external: [/^node:/],
  plugins: [
    {
      name: 'third-party-notices',
      writeBundle: (_options, bundle) =>
        writeNotices(Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))),
    },
  ],
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', minify: false, cleanDir: true },
})
