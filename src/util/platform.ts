/**
 * A platform as Docker names it: `linux/amd64`, which is what containers are built for and run on here; or that of
 * programs of this machine, with `process.platform`.
 */
export function platform(system: string = 'linux'): string {
  return `${system}/${process.arch === 'x64' ? 'amd64' : process.arch}`
}
