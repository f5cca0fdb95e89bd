import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'
import { writeNotices } from './scripts/notices.ts'

const common = { platform: 'node' as const, external: [/^node:/] }
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const templates = Object.fromEntries(
  readdirSync('templates').map((name) => [name, readFileSync(`templates/${name}`, 'utf8')]),
)

export default defineConfig([
  /** One bundle without run-time dependencies; what a command does not need stays in chunks of its own. */
  {
    ...common,
    input: { cli: 'src/cli.ts' },
    plugins: [
      {
        name: 'third-party-notices',
        writeBundle: (_options, bundle) =>
          writeNotices(Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))),
      },
    ],
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', minify: false, cleanDir: true },
  },
  /** The same as one file with its templates in it, for repositories that keep their dwf beside their workflows. */
  {
    ...common,
    input: { dwf: 'src/cli.ts' },
    transform: { define: { DWF_TEMPLATES: JSON.stringify(templates) } },
    output: {
      dir: 'standalone',
      format: 'esm',
      entryFileNames: '[name].mjs',
      codeSplitting: false,
      minify: false,
      cleanDir: true,
      banner: `// dwf ${version}, as one file. The licences of what is in it stand at its end.`,
    },
  },
])
