import type { Command } from 'commander'
import { failure } from '../../util/diagnostics.ts'
import type { Output } from '../output.ts'

/** `dwf completion bash|zsh|fish`: made from the command table itself. */
export async function completion(shell: string, program: Command, output: Output): Promise<number> {
  const names = program.commands.map((command) => command.name())
  const options = [
    ...new Set(program.commands.flatMap((command) => command.options.map((option) => option.long!))),
  ].sort()
  switch (shell) {
    case 'bash':
      output.result(`_dwf() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "${options.join(' ')}" -- "$word"))
  elif [[ $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(compgen -W "${names.join(' ')}" -- "$word")); fi
}
complete -F _dwf dwf`)
      return 0
    case 'zsh':
      output.result(`#compdef dwf\n_arguments '1:command:(${names.join(' ')})' '*:option:(${options.join(' ')})'`)
      return 0
    case 'fish':
      output.result(
        [
          ...program.commands.map(
            (command) =>
              `complete -c dwf -n __fish_use_subcommand -a ${command.name()} -d '${command.description().replaceAll("'", "\\'")}'`,
          ),
          ...options.map((option) => `complete -c dwf -l ${option.slice(2)}`),
        ].join('\n'),
      )
      return 0
    default:
      throw failure('wrong-input', 'usage', `no completion for "${shell}"`, 'bash, zsh or fish')
  }
}
