/**
 * What the kept-open shells of containers and of the host both read first: dwf_end says the true one of two tokens, and
 * the code.
 * @param stderr the descriptor of the shell's standard error
 */
export const shellFunctions = (stderr: number): string => `
dwf_end() {
  if [ "$1" -eq 0 ]; then dwf_token=$2; else dwf_token=$3; fi
  printf '\\036%s %s\\n' "$dwf_token" "$1"
  printf '\\036%s %s\\n' "$dwf_token" "$1" >&${stderr}
}
`
