import { shellVariable } from './host-reap.ts'
import { shellFunctions } from './shell-functions.ts'
import { taskWords } from './shell-words.ts'
import type { SlotTask } from './slot.ts'

/**
 * The script that a kept-open shell of the host reads first. The shell runs a task in the foreground, since dash then
 * starts it by vfork, with no signal ignored; signals come from dwf itself (host-processes.ts). A task that says
 * `kill 0` reaches the shell as well, which goes on. bash would say on its own standard error which command line a
 * signal ended, values and all: that goes nowhere, and a task gets the descriptor 9 as its standard error.
 *
 * Last it says where the kernel lists the children of the process that adopts orphans here. An orphan finds it: it waits
 * until it has another parent, and looks for itself among that one's children.
 */
export const hostPrelude = `${shellFunctions(9)}
unset ${shellVariable}
exec 9>&2
[ -z "$BASH_VERSION" ] || exec 2>/dev/null
trap : HUP INT QUIT ALRM TERM USR1 USR2 TSTP TTIN TTOU
dwf_adopted() {
  while read -r dwf_pid dwf_name dwf_state dwf_parent dwf_rest < /proc/self/stat && [ "$dwf_parent" = "$1" ]; do :; done
  dwf_file=/proc/$dwf_parent/task/$dwf_parent/children dwf_now=
  read -r dwf_now < "$dwf_file"
  case " $dwf_now " in *" $dwf_pid "*) printf %s "$dwf_file" ;; esac
} 2>/dev/null
printf %s "$( ( read -r dwf_pid dwf_rest < /proc/self/stat; dwf_adopted "$dwf_pid" & ) )"
`

/**
 * One task for a kept-open shell of the host, whose files go into a folder with the name of the shell below `folder`.
 * Its end is a line of its own: a bash that cannot fork throws the rest of the line away, and goes on.
 */
export function hostTask(folder: () => string): SlotTask {
  return (request, { ok, fail, name }) => {
    const place = Object.keys(request.files ?? {}).length > 0 ? `${folder()}/${name}` : ''
    const words = taskWords(request, place)
    const task = words.simple
      ? `cd -- ${words.dir} 2>&9 && unset OLDPWD && { ${words.simple} </dev/null 2>&9 9>&-; dwf_code=$?; }`
      : `( ${words.prepare} || exit 126; exec ${words.command} ) </dev/null 2>&9 9>&-; dwf_code=$?`
    return [
      'dwf_code=126',
      task,
      ...(words.folder ? [`rm -rf ${words.folder} </dev/null`] : []),
      `dwf_end "$dwf_code" ${ok} ${fail}\n`,
    ].join('\n')
  }
}
