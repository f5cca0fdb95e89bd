import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { rewrite } from '../../src/workflows/template/rewrite.ts'
import { growsLinearly } from '../growth.ts'

const rewritten = (command: string) => rewrite(command, (name) => name === 'version')
const script = (command: string) => {
  const { script, problems } = rewritten(command)
  assert.deepEqual(problems, [], command)
  return script
}
/** Severity, code and what is pointed at. */
const said = (command: string) =>
  rewritten(command).problems.map(
    ({ severity, code, at, length }) => `${severity} ${code} ${command.slice(at, at + length)}@${at}`,
  )
const errors = (command: string) => said(command).filter((line) => line.startsWith('error'))

test('each place has its own quotes', () => {
  assert.equal(script('echo {{.a}}'), 'echo "${DWF_VALUE_1}"')
  assert.equal(script('echo "x {{.a}} y"'), 'echo "x ${DWF_VALUE_1} y"')
  assert.equal(script("echo 'x {{.a}} y'"), `echo 'x '"\${DWF_VALUE_1}"' y'`)
  assert.equal(script('echo {{.a}}{{.b}}{{.a}}'), 'echo "${DWF_VALUE_1}""${DWF_VALUE_2}""${DWF_VALUE_1}"')
  assert.equal(
    script('x={{.a}} y="$(f {{.b}} "{{.c}}")"'),
    'x="${DWF_VALUE_1}" y="$(f "${DWF_VALUE_2}" "${DWF_VALUE_3}")"',
  )
  assert.equal(script('echo ${x:-{{.a}}} "${x:-{{.a}}}"'), 'echo ${x:-"${DWF_VALUE_1}"} "${x:-${DWF_VALUE_1}}"')
  assert.equal(script('echo "${x#{{.a}}}"'), 'echo "${x#"${DWF_VALUE_1}"}"')
  assert.equal(
    script('case $x in {{.a}}) echo {{.b}};; esac'),
    'case $x in "${DWF_VALUE_1}") echo "${DWF_VALUE_2}";; esac',
  )
  assert.equal(script('[[ $x == {{.a}} && -n {{.b}} ]]'), '[[ $x == "${DWF_VALUE_1}" && -n "${DWF_VALUE_2}" ]]')
  assert.equal(script('echo {{.a}} > {{.b}} 2>&1'), 'echo "${DWF_VALUE_1}" > "${DWF_VALUE_2}" 2>&1')
  assert.equal(script("echo it\\'s {{.a}}"), `echo it\\'s "\${DWF_VALUE_1}"`)
  assert.equal(script('echo \\\\{{.a}}'), 'echo \\\\"${DWF_VALUE_1}"')
})

test('a script without references stays as it is, whatever it has', () => {
  for (const one of ["echo 'open", 'cat <<E\n$((', '`', 'sh -c "$x"', '']) assert.equal(script(one), one)
})

test('a variable has one name in the environment, in the order of the script', () => {
  assert.deepEqual(rewritten('echo {{.b}} {{.a}} {{.b}} # {{.c}}').references, [
    { variable: 'b', env: 'DWF_VALUE_1' },
    { variable: 'a', env: 'DWF_VALUE_2' },
  ])
})

test('a comment is left without its reference', () => {
  assert.equal(
    rewritten('echo {{.a}} # of {{.b}}\necho {{.c}}').script,
    'echo "${DWF_VALUE_1}" # of ...\necho "${DWF_VALUE_2}"',
  )
  assert.deepEqual(said('echo a#{{.a}} # {{.b}}'), ['warning in-comment {{.b}}@16'])
})

test('places in which no quotes help are refused', () => {
  const refused: Readonly<Record<string, string>> = {
    'echo $((1 + {{.a}}))': 'in $(( )) a shell may run what a value says',
    'echo `echo {{.a}}`': 'in backticks quotes mean something else in every shell',
    "echo $'{{.a}}'": "$'…' is no string for every shell",
    'echo \\{{.a}}': 'the backslash before it would undo its quotes',
    'echo "\\{{.a}}"': 'the backslash before it would undo its quotes',
    'echo ${x/{{.a}}/b}': 'inside of this ${…} a value cannot be quoted',
    'echo "${x:{{.a}}}"': 'inside of this ${…} a value cannot be quoted',
    'cat <<EOF\n{{.a}}\nEOF': 'in a here-document a value cannot be quoted',
    "cat <<-'EOF'\n\t{{.a}}\n\tEOF": 'in a here-document a value cannot be quoted',
    'echo ${{.a}}': 'the $ before it would make the name of another variable of it',
    'echo "${{.a}}"': 'the $ before it would make the name of another variable of it',
    'echo ${x[{{.a}}]}': 'inside of this ${…} a value cannot be quoted',
  }
  for (const [command, why] of Object.entries(refused)) {
    const { problems } = rewritten(command)
    assert.deepEqual(
      problems.map(({ severity, code, message }) => `${severity} ${code} ${message}`),
      [`error unsafe-place {{.a}}: ${why}`],
      command,
    )
  }
})

test('where shells do not agree, or the reader is not sure, all references are refused', () => {
  for (const command of [
    "echo 'open {{.a}}",
    'echo "open {{.a}}',
    'echo $(open {{.a}}',
    '((x = {{.a}}))',
    '(( x )); echo {{.a}}',
    'echo $((a); (b)) {{.a}}',
    'echo $[1] {{.a}}',
    "echo $'it\\'s' {{.a}}",
    'echo @(a|{{.a}})',
    'cat <<E "\n" {{.a}}\nE',
    'cat <<$x {{.a}}',
    'cat <<E\n{{.a}}',
    'a ;; b {{.a}}',
    'echo ) {{.a}}',
    `echo "\${x:-'a'}" {{.a}}`,
    "echo `echo 'a` {{.a}}",
    '$('.repeat(80) + '{{.a}}' + ')'.repeat(80),
  ])
    assert.deepEqual(
      errors(command).map((line) => line.split(' ')[1]),
      ['unsafe-place'],
      command,
    )
  // What comes after may run what was whole before.
  assert.deepEqual(said('f() { echo {{.a}}; }\necho $[1]; f | sh'), ['error unsafe-place {{.a}}@11'])
  assert.deepEqual(said('echo {{.a}} $[1]'), ['error unsafe-place {{.a}}@5'])
})

test('a value never becomes program text', () => {
  for (const command of [
    "sh -c 'echo {{.a}}'",
    'bash -euo pipefail -c "echo {{.a}}"',
    'sudo -u app env X=1 /bin/dash -ec {{.a}}',
    "docker exec -i box sh -c 'ls {{.a}}'",
    'xargs -I{} sh -c "echo {} {{.a}}"',
    "find . -exec sh -c 'echo {{.a}}' \\;",
    'sh -c "$(gen {{.a}})"',
    '"$SHELL" -c "{{.a}}"',
    '${SHELL:-/bin/sh} -c {{.a}}',
    'eval "x={{.a}}"',
    'command eval {{.a}}',
    'ssh host "ls {{.a}}"',
    'ssh -p 22 -i key user@host ls {{.a}}',
    'ssh -o ProxyCommand={{.a}} host',
    'ssh -oProxyCommand={{.a}} host',
    'su app -c "ls {{.a}}"',
    'su - app --command="ls {{.a}}"',
    'python3 -c \'print("{{.a}}")\'',
    "python3.11 -Bc 'print({{.a}})'",
    "python -c'print({{.a}})'",
    '$PYTHON -c "{{.a}}"',
    "perl -i -pe 's/x/{{.a}}/' file",
    'ruby -e \'puts "{{.a}}"\'',
    "node --eval='console.log({{.a}})'",
    "node -e 'console.log({{.a}})'",
    "awk '/{{.a}}/ { print }' file",
    'awk -F: -v x=1 "{{.a}}" file',
    'sed -i "s/x/{{.a}}/" file',
    'sed -n -e "s/x/{{.a}}/" file',
    'trap "rm -rf {{.a}}" EXIT',
    'alias x={{.a}}',
    'env -S "sh {{.a}}"',
    'flock lock -c "ls {{.a}}"',
    'watch ls {{.a}}',
    'if true; then sh -c {{.a}}; fi',
    'x=$(sh -c {{.a}})',
    'f() { sh -c {{.a}}; }',
    'case x in y) sh -c {{.a}};; esac',
    'true && ! sh -c {{.a}}',
    'bash <<< {{.a}}',
    'bash <(echo {{.a}})',
    'timeout 5 ssh host {{.a}}',
    'deno eval {{.a}}',
    'php -r {{.a}}',
  ])
    assert.deepEqual(
      errors(command).map((line) => line.replace(/@.*/, '')),
      ['error program-text {{.a}}'],
      command,
    )
  for (const command of [
    'echo {{.a}} | sh',
    '{ echo {{.a}}; } | sudo bash -s',
    'printf %s "{{.a}}" | cat | ssh host',
    'echo {{.a}} | python3 -',
    'for i in 1; do echo {{.a}}; done | sh',
  ])
    assert.deepEqual(
      errors(command).map((line) => line.split(' ')[1]),
      ['fed-program'],
      command,
    )
  assert.deepEqual(said('curl https://x/{{.a}}/i.sh | sh'), ['error fed-program {{.a}}@15'])
})

test('values beside a program are arguments', () => {
  for (const command of [
    'sh -c \'echo "$1"\' sh {{.a}}',
    'sh script.sh {{.a}}',
    'python3 script.py -c {{.a}}',
    'python3 -m module -c {{.a}}',
    "echo {{.a}} | python3 -c 'import sys'",
    'rsync -e ssh -- {{.a}} host:{{.b}}',
    'ssh -- {{.host}} uptime',
    'scp -i {{.key}} -- {{.a}} host:',
    'git -c user.name={{.a}} fetch --depth {{.n}} -- {{.url}}',
    'tar -C {{.dir}} -czf {{.file}} -- {{.a}}',
    'env A={{.a}} program {{.b}}',
    'docker run --rm -e VERSION={{.a}} image',
    "grep -e '^{{.a}}$' file",
    "find . -name '*{{.a}}*' -exec rm {} \\;",
    "printf '%s\\0' {{.a}} | xargs -0 -n1 sh -c 'echo \"$1\"' sh",
    "ssh -- host bash <<'E'\nuptime\nE\necho {{.a}}",
    'echo {{.a}} | python3 script.py -',
    'go build -ldflags "-X main.version={{.a}}" ./cmd',
    "awk -v x={{.a}} '{ print x }' {{.b}}",
    'awk -f prog.awk {{.a}}',
    "sed -e 's/a/b/' {{.a}}",
    "sed 's/a/b/' {{.a}}",
    'git commit -m {{.a}}',
    'npm run evaluate {{.a}}',
    'gcc -c {{.a}}',
    '[ {{.a}} -eq 1 ]',
    'echo {{.a}} | tee {{.b}}',
    'docker run --rm image {{.a}}',
    '( cd {{.a}} && ls ) | sort',
  ])
    assert.deepEqual(said(command), [], command)
})

/** Command → codes of its errors. */
function refuses(code: string, commands: readonly string[]) {
  for (const command of commands) {
    const codes = new Set(errors(command).map((line) => line.split(' ')[1]))
    assert.ok(codes.has(code), `${command}: ${[...codes].join(', ') || 'taken'}`)
  }
}

test('a value in the text of an option that programs are given by is refused, whatever starts the program', () => {
  refuses('program-text', [
    'unknown -c "echo {{.a}}"',
    'unknown -qc"echo {{.a}}"',
    'unknown --exec="echo {{.a}}"',
    'unknown --run "echo {{.a}}"',
    "psql -Atc 'select {{.a}}'",
    'psql -c {{.a}}',
    'tmux new-session -d {{.a}}',
    'npx -c {{.a}}',
    'sg docker -c {{.a}}',
    'script -qc"{{.a}}" /dev/null',
    'timeout --signal KILL 5 sh -c {{.a}}',
    '$unset let {{.a}}',
    '`true` eval {{.a}}',
    'timeout --signal KILL 5 ssh -- host {{.a}}',
    'nice --adjustment 5 eval {{.a}}',
    'setpriv --reuid 1 awk "{{.a}}"',
    'strace -f sed "s/x/{{.a}}/"',
    'unshare -r su -c {{.a}}',
    'sudo --user root su app -c {{.a}}',
    'docker run --entrypoint sh image -c {{.a}}',
    'docker run --entrypoint=sh image -c {{.a}}',
    'sshpass -e ssh -- host {{.a}}',
    'busybox awk {{.a}}',
    'busybox sh -c {{.a}}',
    'time -p eval {{.a}}',
    'coproc eval {{.a}}',
    'git submodule foreach "echo {{.a}}"',
    'git rebase --exec {{.a}} main',
    "git -c alias.x='!echo {{.a}}' x",
    'git -c core.sshCommand={{.a}} fetch',
    'compgen -W {{.a}}',
    '"$TOOL" -c {{.a}}',
    'rsync -e "ssh -i {{.a}}" x host:',
    'E=eval; $E {{.a}}',
    '"$x"eval {{.a}}',
    '$1eval {{.a}}',
    'sh -c $x {{.a}}',
    '${y:-sh -c {{.a}}}',
    'S="sh -c"; $S {{.a}}',
    'S="busybox awk"\n"$S" {{.a}}',
  ])
})

test('what a shell reads from its input is refused, in doubt all of the script', () => {
  refuses('fed-program', [
    'echo {{.a}} | bash -',
    'echo {{.a}} | sh $empty',
    'S=sh; echo {{.a}} | $S',
    'echo {{.a}} | sh /dev/stdin',
    'echo {{.a}} | . /dev/stdin',
    'echo {{.a}} | source /dev/fd/0',
    'cat <<< "{{.a}}" | bash',
    'f() { echo {{.a}}; }; f | bash',
    'function f { echo {{.a}}; }\nf | ssh -- host',
    'echo {{.a}} | { true; bash; }',
    'f() { bash; }; echo {{.a}} | f',
    'echo {{.a}} > >(bash)',
    'coproc bash; echo {{.a}} >&3',
    'x={{.a}}; echo "$x" | bash',
    'x={{.a}}\nbash <<E\necho $x\nE',
    'echo {{.a}} | parallel',
  ])
  refuses('program-text', [
    'source <(echo {{.a}})',
    '. <(echo {{.a}})',
    '. {{.a}}',
    'bash < <(echo {{.a}})',
    'python3 - <<< {{.a}}',
  ])
})

test('a value that xargs or find puts into a program is refused', () => {
  refuses('fed-program', [
    'echo {{.a}} | xargs -I{} sh -c "echo {}"',
    'echo {{.a}} | cat | xargs -I % sh -c "echo %"',
    'echo {{.a}} | xargs sh -c',
    'echo {{.a}} | xargs sh',
    'echo {{.a}} | xargs -I% bash %',
    'echo {{.a}} | xargs ssh -- host',
    'find {{.a}} -exec sh -c "cat {}" \\;',
    'echo {{.a}} | find . -exec bash -c "cat {}" +',
  ])
})

test('here-documents whose end shells do not agree on, and operators with a line end in them', () => {
  refuses('unsafe-place', [
    'bash <<EOF\necho a \\\nEOF\necho {{.a}}\nEOF',
    'bash <<-EOF\n\techo a \\\n\tEOF\n\techo {{.a}}\n\tEOF',
    'bash <<EOF\nEO\\\nF\necho {{.a}}\nEOF',
    'cat <\\\n<E\n$x\nE\necho {{.a}}',
    'echo "$\\\n{x[{{.a}}]}"',
    'echo $(\\\n(x{{.a}}))',
    'echo x ;\\\n; {{.a}}',
    'echo {{.a}} > ; true',
    'echo {{.a}} <',
    'echo {{.a}} &> | true',
  ])
  assert.deepEqual(said("cat <<'E'\na \\\nE\necho {{.a}}"), [])
  assert.deepEqual(said('cat <<E\na \\\nb \\\\\nE\necho {{.a}}'), [])
})

test('variables that hold a value are not evaluated either', () => {
  refuses('value-in-arithmetic', [
    'x={{.a}}; echo $((x + 1))',
    'x={{.a}}; y="$x"; echo $(( $y ))',
    'export x={{.a}}; [[ $x -gt 1 ]]',
    'x={{.a}}; [[ 1 -eq x ]]',
    'x={{.a}}; let y=x+1',
    'x={{.a}}; echo ${s:$x}',
    'x={{.a}}; echo "${s[x]}"',
    'x={{.a}}; echo ${!x}',
    'for x in "{{.a}}"; do echo $((x)); done',
    'echo {{.a}} | while read -r x; do echo $((x)); done',
    'f() { echo $(($1)); }; f {{.a}}',
    'set -- {{.a}}; echo $((${1}))',
    'x=(1 {{.a}}); echo $((x))',
    'printf -v x %s {{.a}}; echo $((x))',
    'echo ${x:={{.a}}}; echo $((x))',
    'x={{.a}}\ncat <<E\n$((x))\nE',
    'f() { echo {{.a}}; }; x=$(f); echo $((x))',
  ])
  refuses('program-text', ['x={{.a}}; eval "echo $x"', 'x={{.a}}; bash -c "echo $x"', 'x={{.a}}; unknown -c "echo $x"'])
  refuses('denied-variable', ['x={{.a}}; GIT_SSH_COMMAND=$x git fetch'])
  assert.deepEqual(rewritten('n={{.a}}; echo $((n + 1))').problems, [
    {
      severity: 'error',
      code: 'value-in-arithmetic',
      message: 'n holds a value: in arithmetic a shell may run what it says',
      hint: "check with case that it is a number: case $n in ''|*[!0-9]*) exit 1;; esac",
      at: 18,
      length: 1,
    },
  ])
  for (const command of [
    "n={{.a}}; case $n in ''|*[!0-9]*) exit 1;; esac; echo $((n + 1))",
    'export X={{.a}}; sh -c \'echo "$X"\'',
    'x={{.a}}; [ "$x" -eq 1 ]; echo $((1 + 1))',
    'x={{.a}}; n=1; echo "$x" $((n + 1))',
  ])
    assert.deepEqual(said(command), [], command)
})

test('a value at the place of an option is said', () => {
  assert.deepEqual(rewritten('ssh {{.a}} uptime').problems, [
    {
      severity: 'error',
      code: 'option-from-value',
      message: '{{.a}}: a value that begins with - would be read as an option of ssh',
      hint: 'put -- before it, or check with case how it begins and pass it from a variable of env',
      at: 4,
      length: 6,
    },
  ])
  refuses('option-from-value', [
    'ssh -p 22 {{.a}}@host',
    'env {{.a}} program',
    'git fetch {{.a}}',
    'git ls-remote --heads {{.a}}',
    'git clone -q {{.a}} folder',
    'git -C folder push -u {{.a}}',
    'git submodule add {{.a}}',
    'timeout --signal KILL 5 git {{.a}}',
    'tar -xzf x.tar {{.a}}',
    'tar -cz {{.a}}',
  ])
  for (const command of ['rsync -a {{.a}} host:', 'scp {{.a}} host:', 'curl -fsS {{.a}}', 'git checkout {{.a}}'])
    assert.deepEqual(said(command), [`warning option-from-value {{.a}}@${command.indexOf('{{')}`], command)
})

test('names that decide what is run are refused in cmd as in env', () => {
  refuses('denied-variable', [
    'GIT_SSH_COMMAND={{.a}} git fetch',
    'export PROMPT_COMMAND={{.a}}',
    'env BASH_ENV={{.a}} bash script.sh',
    'PS4={{.a}}; set -x',
    'ENV="{{.a}}" sh script.sh',
    'docker run -e LD_PRELOAD={{.a}} image',
    'MAKEFLAGS={{.a}} make',
    'PAGER="less {{.a}}" git log',
  ])
  assert.equal(
    rewritten('GIT_EDITOR={{.a}} git commit').problems[0]!.message,
    '{{.a}}: a value cannot be that of GIT_EDITOR: git runs what it names',
  )
  assert.deepEqual(said('PATH={{.a}}:$PATH program'), ['warning path {{.a}}@5'])
  assert.deepEqual(said('PAGER=cat git log; echo {{.a}}'), [])
  assert.deepEqual(said('terraform plan ENV={{.a}}'), [])
})

test('names and arithmetic that bash evaluates are refused', () => {
  for (const command of [
    'unset {{.a}}',
    'read {{.a}}',
    'printf -v {{.a}} x',
    'export {{.a}}=1',
    'declare {{.a}}',
    '[ -v {{.a}} ]',
    '[[ {{.a}} -eq 1 ]]',
    'a[{{.a}}]=1',
    'let x={{.a}}',
    'time -p let {{.a}}',
    'time -p read {{.a}}',
    'declare -i x={{.a}}',
    'local -n x={{.a}}',
    'typeset -A x={{.a}}',
    'readonly -a x={{.a}}',
    'declare -i x; x={{.a}}',
    'a=([{{.a}}]=x)',
  ])
    assert.equal(errors(command).length, 1, command)
  assert.deepEqual(said('export X={{.a}}'), [])
})

test('what is odd but no danger is a warning', () => {
  assert.deepEqual(said('{{.a}} --help'), ['warning command-from-value {{.a}}@0'])
  assert.deepEqual(said('make build VERSION={{.a}}'), ['warning expanded-again {{.a}}@19'])
  assert.deepEqual(said('printf "{{.a}}\\n" {{.b}}'), ['warning format {{.a}}@8'])
  assert.deepEqual(said('for x in {{.a}}; do echo "$x"; done'), ['warning one-word {{.a}}@9'])
})

test('templates of other programs stay; what was meant for dwf is said', () => {
  assert.deepEqual(rewritten("docker ps --format '{{json .}}' {{.a}}").problems, [
    {
      severity: 'warning',
      code: 'other-template',
      message: '"{{json .}}" stays as it is: it names no variable of the workflow',
      hint: 'a variable is written {{.name}}',
      at: 20,
      length: 10,
    },
  ])
  assert.equal(rewritten("docker ps --format '{{json .}}'").script, "docker ps --format '{{json .}}'")
  assert.deepEqual(rewritten('echo {{ .version }}').problems, [
    {
      severity: 'error',
      code: 'bad-reference',
      message: '"{{ .version }}" is not how a variable is written',
      hint: 'write {{.version}}',
      at: 5,
      length: 14,
    },
  ])
  for (const wrong of ['{{version}}', '{{ version }}', '{{.version }}', '{{.version | upper}}'])
    assert.deepEqual(said(`echo ${wrong}`), [`error bad-reference ${wrong}@5`])
  for (const other of ['{{.Names ID}}', '{{if .x}}', '{{ .State.Status }}', '{{end}}'])
    assert.deepEqual(said(`echo ${other}`), [`warning other-template ${other}@5`])
})

test('the names of dwf’s own variables are taken', () => {
  assert.deepEqual(said('echo $DWF_VALUE_1 {{.a}}'), ['error reserved-name DWF_VALUE_@6'])
})

const folder = mkdtempSync(join(tmpdir(), 'dwf-rewrite-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const shells = ['/bin/sh', '/bin/bash', '/bin/dash', '/bin/ksh', '/bin/zsh'].filter((path) => existsSync(path))

/** Runs it in an empty folder and gives its arguments back: `show` prints each with a NUL. */
function run(shell: string, command: string, values: readonly string[]): readonly string[] {
  const { script, references, problems } = rewrite(command, () => false)
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
    command,
  )
  const env: Record<string, string> = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', x: 'set', long: `pre${values[0]}` }
  for (const { variable, env: name } of references) env[name] = values[Number(variable.slice(1))]!
  const { stdout, stderr, status } = spawnSync(shell, ['-c', `show() { printf '%s\\0' "$@"; }\n${script}`], {
    cwd: folder,
    env,
  })
  assert.equal(status, 0, `${shell}: ${script}\n${stderr}`)
  return stdout.toString('utf8').split('\0').slice(0, -1)
}

/** Command → what it shows of the values. */
const commands: readonly (readonly [string, (a: string, b: string) => readonly string[]])[] = [
  ['show {{.v0}} {{.v1}}', (a, b) => [a, b]],
  ['show x{{.v0}}y"{{.v1}}"', (a, b) => [`x${a}y${b}`]],
  [`show '{{.v0}}' 'a "{{.v1}}" $x'`, (a, b) => [a, `a "${b}" $x`]],
  [`show '\\{{.v0}}\\' "it's {{.v1}}"`, (a, b) => [`\\${a}\\`, `it's ${b}`]],
  ['show "$(printf %s. {{.v0}})" "$(printf "%s." "{{.v1}}")"', (a, b) => [`${a}.`, `${b}.`]],
  [`show "$(printf '{{.v2}}' '{{.v0}}')" "a$(printf %s. "$(printf %s. {{.v1}})")"`, (a, b) => [`${a}.`, `a${b}..`]],
  ['show ${y:-{{.v0}}} "${y:-{{.v1}}}" "${x:+a {{.v0}} b}"', (a, b) => [a, b, `a ${a} b`]],
  ['show "${long#pre{{.v0}}}"', () => ['']],
  ['y={{.v0}} z="{{.v1}}"; show "$y" "$z"', (a, b) => [a, b]],
  ['export y={{.v0}}; show "$y"; y={{.v1}} true', (a) => [a]],
  ['case {{.v0}} in {{.v0}}) show one;; *) show two;; esac', () => ['one']],
  ['case "{{.v0}}" in (a|"{{.v0}}") (show one) ;; esac # {{.v1}}', () => ['one']],
  ['if [ {{.v0}} = "{{.v0}}" ]; then show {{.v1}}; fi', (_, b) => [b]],
  ['f() { show "$1" {{.v1}}; }\nf {{.v0}}', (a, b) => [a, b]],
  ['for i in {{.v0}} {{.v1}}; do show "$i"; done', (a, b) => [a, b]],
  ['{ show {{.v0}}; } | cat; ( show {{.v1}} )', (a, b) => [a, b]],
  [`sh -c 'printf "%s\\0" "$1"' sh {{.v0}}`, (a) => [a]],
  ["cat > /dev/null <<E\n$(true) '\nE\nshow {{.v0}}", (a) => [a]],
  ['show `echo a` $((1 + 2)) \\\n {{.v0}}', (a) => ['a', '3', a]],
  ['printf "%s\\0" {{.v0}} 2>&1 >/dev/null; show \\"{{.v1}}\\"', (_, b) => [`"${b}"`]],
]

const nasty = [
  '$(touch pwned)',
  '`touch pwned`',
  "'; touch pwned; '",
  '"; touch pwned; "',
  '${x:?}$x',
  '\\',
  "'",
  '"',
  '}',
  '*',
  '~',
  '-n',
  '!!',
  '\n',
  ' a  b ',
  '&& touch pwned',
  '#',
  '',
  '{{.v1}}',
]
const value = fc
  .array(fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 4 })
  .map((parts) => parts.join('').replaceAll('\0', ''))
  .filter((text) => text.isWellFormed())

test('in every place and shell a value arrives as it is, and nothing of it is run', () => {
  for (const shell of shells) {
    for (const [command, shows] of commands) {
      fc.assert(
        fc.property(value, value, (a, b) => {
          assert.deepEqual(run(shell, command, [a, b, '%s.']), shows(a, b))
        }),
        { numRuns: 4, examples: nasty.slice(0, 4).map((one): [string, string] => [one, `${one}'"`]) },
      )
    }
  }
  assert.deepEqual(readdirSync(folder), [])
})

/** Scripts of pieces put together at random: what is not refused is read by the shell as the reader thinks. */
test('a script that is taken gives values no way out', () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    '\\',
    '$',
    '$(',
    ')',
    '`',
    '${y:-',
    '${x#',
    '}',
    ' ',
    '\n',
    ';',
    '{{.v0}}',
    '{{.v0}}',
    'a',
    '#',
    '|',
    '(',
    '<<E\n',
    'E\n',
    '$((',
    '))',
    'case x in ',
    ' esac',
    ';;',
    '&',
  )
  const probe = '$(touch pwned)`touch pwned`\'"; touch pwned; #\ntouch pwned\n'
  fc.assert(
    fc.property(fc.array(piece, { minLength: 2, maxLength: 10 }), (pieces) => {
      const command = `: ${pieces.join('')}`
      const { script, references, problems } = rewrite(command, () => false)
      fc.pre(references.length > 0 && !problems.some(({ severity }) => severity === 'error'))
      for (const shell of shells)
        spawnSync(shell, ['-c', script], {
          cwd: folder,
          env: { PATH: '/usr/bin:/bin', DWF_VALUE_1: probe },
          timeout: 10_000,
          stdio: 'ignore',
        })
      assert.deepEqual(readdirSync(folder), [], command)
    }),
    { numRuns: 60 },
  )
})

test('long scripts take time that grows with them only', async () => {
  for (const piece of ['echo {{.a}} "{{.b}}" $(f {{.a}})\n', 'x', "'", '"${x:-', '{{', 'a | '])
    await growsLinearly(
      piece,
      (size) => piece.repeat(size / piece.length),
      (text) => rewrite(text, () => false),
      { limit: 1 << 17 },
    )
})
