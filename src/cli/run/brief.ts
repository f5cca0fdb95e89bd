/** Of what an image build prints, the steps, each on one line; the rest is for --verbose. */
export function brief(text: string): string | undefined {
  const line = text.trim()
  if (
    line === '' ||
    /^-->|^(Get|Hit|Ign|Fetched|Reading|Building dependency|Selecting|Preparing|Unpacking|Setting up|Processing|debconf|update-alternatives|\(Reading|[0-9a-f]{64}$)/.test(
      line,
    ) ||
    /HEALTHCHECK is not supported for OCI/.test(line) ||
    / {2,}\S/.test(text.slice(0, 4))
  )
    return undefined
  return line.length > 110 ? `${line.slice(0, 109)}…` : line
}
