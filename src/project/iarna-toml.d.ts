/** The package types its entry point only, which loads the writer and the stream parser too. */
declare module '@iarna/toml/parse-string.js' {
  export default function parse(text: string): Record<string, unknown>
}
