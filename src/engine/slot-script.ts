/** Where the image keeps the execute-only shell and init; see docs/decisions/kept-open-shells.md. */
export const containerShell = '/usr/local/libexec/dwf/sh'
export const containerInit = '/usr/bin/tini'

/**
 * Runs inside the task's own tini, as its first child. It runs the task in a session of its own (a task may say
 * `kill 0`), passes TERM and KILL (as USR1) on to everything below tini, and when the task has ended ends whatever
 * it left behind, also what left its process group: under `tini -s` no process of the task can get away from it.
 * Reads /proc/PID/status, where the kernel escapes the name, so that no process can fake the line that follows it.
 */
const supervisor = `
sweep() {
  pairs= tree=" $PPID " grown=1 hit=
  for dir in /proc/[0-9]*; do
    state= parent=
    while read -r key value rest; do
      case $key in State:) state=$value ;; PPid:) parent=$value; break ;; esac
    done 2>/dev/null < "$dir/status" || continue
    case $state in Z|X|'') ;; *) pairs="$pairs \${dir#/proc/}:$parent" ;; esac
  done
  while [ -n "$grown" ]; do
    grown=
    for pair in $pairs; do
      pid=\${pair%%:*}
      case $tree in *" $pid "*) continue ;; esac
      case $tree in *" \${pair#*:} "*) ;; *) continue ;; esac
      tree="$tree$pid " grown=1
    done
  done
  for pid in $tree; do
    [ "$pid" = "$PPID" ] || [ "$pid" = "$$" ] || { kill -"$1" "$pid" 2>/dev/null && hit=1; }
  done
  [ -n "$hit" ]
}
trap 'sweep TERM' TERM
trap 'sweep KILL' USR1
setsid env --default-signal=INT --default-signal=QUIT "$@" &
task=$!
while :; do
  wait "$task"; code=$?
  kill -0 "$task" 2>/dev/null || break
done
trap '' TERM USR1
rounds=0
while sweep KILL; do
  rounds=$((rounds + 1))
  [ "$rounds" -lt 200 ] || exit 125
done
exit "$code"
`

/**
 * The script that a kept-open shell reads first. A task is started in the background, so that the shell goes on
 * reading: a signal for the task, or the end of its input, which means that dwf is gone and so must the shell.
 */
export function slotPrelude(options: { readonly init: string; readonly shell: string }): string {
  return `
dwf_supervisor=${quote(supervisor)}
dwf_end() {
  if [ "$1" -eq 0 ]; then dwf_token=$2; else dwf_token=$3; fi
  printf '\\036%s %s\\n' "$dwf_token" "$1"
  printf '\\036%s %s\\n' "$dwf_token" "$1" >&2
}
dwf_signal() {
  for dwf_dir in /proc/[0-9]*; do
    while read -r dwf_key dwf_value dwf_rest; do
      [ "$dwf_key" = PPid: ] || continue
      [ "$dwf_value" = "$dwf_job" ] && kill -"$1" "\${dwf_dir#/proc/}" 2>/dev/null
      break
    done 2>/dev/null < "$dwf_dir/status"
  done
}
dwf_exec() { exec ${options.init ? `${options.init} -s -- ` : ''}${options.shell} -c "$dwf_supervisor" task "$@"; }
`
}

/** One task for a kept-open shell. Every value is a quoted word; the tokens stay in the shell's memory. */
export function slotTask(task: {
  readonly argv: readonly string[]
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly path?: readonly string[]
  readonly ok: string
  readonly fail: string
}): string {
  const exports = Object.entries(task.env).map(([name, value]) => `export ${name}=${quote(value)}; `)
  if (task.path?.length) exports.push(`export PATH=${quote(`${task.path.join(':')}:`)}"$PATH"; `)
  const enter = `cd -- ${quote(task.dir)} || exit 126; `
  return `{ ( ${exports.join('')}${enter}dwf_exec ${task.argv.map(quote).join(' ')} ); dwf_end $? ${task.ok} ${task.fail}; } & dwf_job=$!\n`
}

function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot hold NUL')
  return `'${word.replaceAll("'", "'\\''")}'`
}
