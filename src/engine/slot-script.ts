import { shellFunctions } from './shell-functions.ts'
import { taskWords } from './shell-words.ts'
import type { SlotTask } from './slot.ts'

/** Where the image keeps the execute-only shell and init; see docs/decisions/kept-open-shells.md. */
export const containerShell = '/usr/local/libexec/dwf/sh'
export const containerInit = '/usr/bin/tini'

/**
 * The script that a kept-open shell of a container reads first. A task is started in the background, so that the shell
 * goes on reading: a signal for the task, or the end of its input, which means that dwf is gone and so must the shell.
 *
 * The task's own `tini -s` adopts whatever leaves the task's tree, so that a signal reaches all of it. When the task
 * ends that tini ends too, and what the task left is adopted by the container's first process, whose only child of its
 * own is the first shell: one read of its children tells whether anything is left, and all of that is killed. A kernel
 * without that list is asked for all processes. dwf_look lists the living ones as PID:PARENT; it reads /proc/PID/status,
 * where the kernel escapes the name, so that no process can fake the line that follows it.
 */
export function slotPrelude({
  init,
  reaper = '1',
}: {
  readonly init: string
  /** The process that adopts orphans, as the shell has to write it. */
  readonly reaper?: string
}): string {
  return `${shellFunctions(2)}
dwf_path=$PATH dwf_job= dwf_lowest= dwf_reaper=${reaper}
dwf_look() {
  dwf_seen=
  for dwf_dir in /proc/[0-9]*; do
    dwf_state= dwf_parent=
    while read -r dwf_key dwf_value dwf_rest; do
      case $dwf_key in State:) dwf_state=$dwf_value ;; PPid:) dwf_parent=$dwf_value; break ;; esac
    done 2>/dev/null < "$dwf_dir/status"
    case $dwf_state in Z | X | '') ;; *) dwf_seen="$dwf_seen \${dwf_dir#/proc/}:$dwf_parent" ;; esac
  done
}
dwf_kill() {
  dwf_grown=1 dwf_hit=
  while [ -n "$dwf_grown" ]; do
    dwf_grown=
    for dwf_entry in $dwf_seen; do
      dwf_pid=\${dwf_entry%%:*}
      case $dwf_tree in *" $dwf_pid "*) continue ;; esac
      case $dwf_tree in *" \${dwf_entry#*:} "*) dwf_tree="$dwf_tree$dwf_pid " dwf_grown=1 ;; esac
    done
  done
  for dwf_pid in $dwf_tree; do kill -"$1" "$dwf_pid" 2>/dev/null && dwf_hit=1; done
  [ -n "$dwf_hit" ]
}
dwf_run() { ${init} -s -- env --default-signal=INT --default-signal=QUIT "$@"; }
dwf_children() {
  dwf_first= dwf_others=
  read -r dwf_first dwf_others 2>/dev/null < "/proc/$dwf_reaper/task/$dwf_reaper/children"
}
dwf_children
if [ -z "$dwf_first" ]; then
  dwf_look
  for dwf_entry in $dwf_seen; do
    case $dwf_entry in *":$dwf_reaper") dwf_pid=\${dwf_entry%%:*} ;; *) continue ;; esac
    if [ -z "$dwf_lowest" ] || [ "$dwf_pid" -lt "$dwf_lowest" ]; then dwf_lowest=$dwf_pid; fi
  done
fi
dwf_clear() {
  unset IFS
  dwf_round=0
  while :; do
    dwf_children
    if [ -n "$dwf_first" ] && [ -z "$dwf_others" ]; then return; fi
    dwf_look
    dwf_tree=' '
    for dwf_entry in $dwf_seen; do
      case $dwf_entry in
        "\${dwf_first:-$dwf_lowest}:"*) ;;
        *":$dwf_reaper") dwf_tree="$dwf_tree\${dwf_entry%%:*} " ;;
      esac
    done
    dwf_kill KILL || return
    dwf_round=$((dwf_round + 1))
    if [ "$dwf_round" -ge 200 ]; then dwf_code=125; return; fi
  done
}
dwf_signal() {
  dwf_round=0
  while [ "$dwf_round" -lt 100 ] && kill -0 "$dwf_job" 2>/dev/null; do
    dwf_look
    dwf_init=none dwf_tree=' '
    for dwf_entry in $dwf_seen; do
      case $dwf_entry in *":$dwf_job") dwf_init=\${dwf_entry%%:*} ;; esac
    done
    for dwf_entry in $dwf_seen; do
      case $dwf_entry in *":$dwf_init") dwf_tree="$dwf_tree\${dwf_entry%%:*} " ;; esac
    done
    dwf_kill "$1" && return
    dwf_round=$((dwf_round + 1))
  done
}
`
}

/** One task for a kept-open shell of a container. Every value is a quoted word; the tokens stay in the shell's memory. */
export const slotTask: SlotTask = (request, { ok, fail, name }) => {
  const { prepare, command, folder } = taskWords(request, `/tmp/.dwf-${name}`)
  const lines = [
    '{ dwf_code=126',
    `if ${prepare}; then dwf_run ${command}; dwf_code=$?; fi`,
    'dwf_clear',
    ...(folder ? [`PATH=$dwf_path rm -rf ${folder}`] : []),
    `dwf_end "$dwf_code" ${ok} ${fail}`,
    '} & dwf_job=$!',
  ]
  return `${lines.join('\n')}\n`
}
