import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { renderDiagnostic } from '../../src/cli/render/diagnostics.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { parseWorkflow } from '../../src/workflows/read.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-workflows-')))
after(() => rmSync(root, { recursive: true, force: true }))
const plain = Object.assign((_: unknown, text: string) => text, { isTerminal: false })
const file = join(root, 'x.toml')

interface Options {
  readonly strict?: boolean
  readonly vars?: readonly string[]
}

/** What a person sees, warnings too. */
async function shown(text: string, options: Options = {}): Promise<string> {
  const diagnostics = await parseWorkflow(file, text, { name: 'x', root, ...options }).then(
    (read) => read.diagnostics,
    (error) => {
      assert.ok(error instanceof Failure, String(error))
      assert.equal(error.kind, 'wrong-input')
      return error.diagnostics
    },
  )
  return diagnostics.map((one) => renderDiagnostic(one, plain, root)).join('\n')
}

/** Without the lines that are drawn. */
const brief = async (text: string, options: Options = {}) =>
  (await shown(text, options)).split('\n').filter((line) => /^x\.toml/.test(line))

const task = (lines: string, more = '') => `[tasks.a]\ncmd = "true"\n${lines}\n${more}`

test('a slip of the pen is an error, an unknown key a warning, and in strict mode an error', async () => {
  assert.equal(
    await shown(task('retires = 3')),
    [
      'x.toml:3:1 error: unknown key "retires" in tasks.a',
      '   3 │ retires = 3',
      '     │ ^^^^^^^ did you mean "retries"?',
    ].join('\n'),
  )
  assert.deepEqual(await brief(task('shell = "bash"')), ['x.toml:3:1 warning: unknown key "shell" in tasks.a'])
  assert.deepEqual(await brief(task('shell = "bash"'), { strict: true }), [
    'x.toml:3:1 error: unknown key "shell" in tasks.a',
  ])
  assert.deepEqual(await brief(`timout = "1h"\n${task('')}`), ['x.toml:1:1 error: unknown key "timout"'])
})

test('every error of a file comes at once, in the order of the file', async () => {
  assert.deepEqual(
    await brief(
      '[tasks.b]\ncmd = "true"\ndepends_on = ["c"]\n[tasks.a]\ncmd = "true"\ntimeout = "soon"\nif = "x ="\nenv = { LD_PRELOAD = "x" }',
    ),
    [
      'x.toml:3:15 error: there is no task "c"',
      'x.toml:6:11 error: "soon" is no duration',
      'x.toml:7:9 error: "=" is no comparison',
      'x.toml:8:9 error: env cannot set LD_PRELOAD: the loader of programs reads it',
    ],
  )
})

test('the shape of a file', async () => {
  assert.deepEqual(await brief('[tasks.a]\nname = "a"'), ['x.toml:1:8 error: tasks.a needs the key "cmd"'])
  assert.deepEqual(await brief(''), ['x.toml:1:1 error: a workflow has at least one task'])
  assert.deepEqual(await brief('[tasks]'), ['x.toml:1:2 error: a workflow has at least one task'])
  assert.deepEqual(await brief('[tasks."a b"]\ncmd = "x"'), [
    'x.toml:1:8 error: "a b" cannot be a key of tasks: expected a name of letters, digits, underscores and dashes',
  ])
  assert.match((await brief('[tasks.a]\ncmd = " "'))[0]!, /^x\.toml:2:7 error: tasks\.a\.cmd cannot be the string " "$/)
  assert.deepEqual(await brief(task('retries = -1')), [
    'x.toml:3:11 error: tasks.a.retries must be a whole number from 0 to 1000, not the number -1',
  ])
  assert.deepEqual(await brief(task('type = "foresic"')), [
    'x.toml:3:8 error: tasks.a.type must be "normal" or "forensic", not the string "foresic"',
  ])
  assert.deepEqual(await brief(task('weight = 1000')), [
    'x.toml:3:10 error: tasks.a.weight must be a whole number from 1 to 999, not the number 1000',
  ])
  assert.match((await brief('tasks = '))[0]!, /^x\.toml:1:\d+ error: not valid TOML: /)
  assert.deepEqual(await brief('[tasks.a]\ncmd = "x\\u0000"'), [
    'x.toml:2:7 error: tasks.a.cmd cannot be the string "x\\u0000"',
  ])
})

test('depends_on: unknown names, handlers and circles', async () => {
  assert.equal(
    await shown('[tasks.build]\ncmd = "true"\n[tasks.test]\ncmd = "true"\ndepends_on = ["biuld"]'),
    [
      'x.toml:5:15 error: there is no task "biuld"',
      '   5 │ depends_on = ["biuld"]',
      '     │               ^^^^^^^ did you mean "build"?',
    ].join('\n'),
  )
  assert.equal(
    await shown(
      '[tasks.a]\ncmd = "x"\ndepends_on = ["c"]\n[tasks.b]\ncmd = "x"\ndepends_on = ["a"]\n[tasks.c]\ncmd = "x"\ndepends_on = ["b"]',
    ),
    [
      'x.toml:3:15 error: tasks wait for each other in a circle: a → c → b → a',
      '   3 │ depends_on = ["c"]',
      '     │               ^^^ remove one of these from depends_on',
    ].join('\n'),
  )
  assert.deepEqual(await brief(task('depends_on = ["a"]')), [
    'x.toml:3:15 error: tasks wait for each other in a circle: a → a',
  ])
  assert.deepEqual(
    await brief('[tasks.m]\ncmd = "x"\nmatrix = { os = ["l", "m"] }\n[tasks.a]\ncmd = "x"\ndepends_on = ["m[os=n]"]'),
    ['x.toml:6:15 error: there is no task "m[os=n]"'],
  )
  assert.deepEqual(
    await brief('on_failure = "h"\n[tasks.h]\ntype = "forensic"\ncmd = "x"\n[tasks.a]\ncmd = "x"\ndepends_on = ["h"]'),
    ['x.toml:7:15 error: "h" is a handler: it runs only when something calls it'],
  )
})

test('handlers', async () => {
  assert.deepEqual(await brief(`on_cancel = "b"\nalways = "c"\n${task('on_failure = "d"')}`), [
    'x.toml:1:13 error: there is no task "b"',
    'x.toml:2:10 error: there is no task "c"',
    'x.toml:5:14 error: there is no task "d"',
  ])
  assert.deepEqual(await brief(`on_failure = "h"\n${task('', '[tasks.h]\ncmd = "true"')}`), [
    'x.toml:1:14 warning: "h" is taken for a handler: it runs only when this calls it',
  ])
  assert.deepEqual(
    await brief(
      `always = "h"\n${task('', '[tasks.h]\ncmd = "true"\ntype = "forensic"\ndepends_on = ["a"]\non_failure = "i"\nmatrix = { os = ["l"] }\n[tasks.i]\ncmd = "true"\ntype = "forensic"')}`,
    ),
    [
      'x.toml:8:1 error: the handler "h" cannot depend on tasks: it runs when something calls it',
      'x.toml:9:1 error: the handler "h" cannot have a handler of its own',
      'x.toml:10:1 error: the handler "h" cannot have a matrix: it runs once',
    ],
  )
  assert.deepEqual(await brief(task('', '[tasks.h]\ncmd = "true"\ntype = "forensic"')), [
    'x.toml:4:8 warning: nothing runs "h": it is a handler that nothing names',
  ])
})

test('matrices', async () => {
  assert.equal(
    await shown(task('matrix = { os = [], arch = ["x"] }')),
    [
      'x.toml:3:17 error: os has no values: the task would not run at all',
      '   3 │ matrix = { os = [], arch = ["x"] }',
      '     │                 ^^ remove the axis or give it values',
    ].join('\n'),
  )
  for (const bad of ['a,b', 'a]', 'a=b', 'a\\u001b', '[x', 'a\\nb', '\\u202e', '\\u2028'])
    assert.match(
      (await brief(task(`matrix = { os = ["${bad}"] }`)))[0]!,
      /^x\.toml:3:18 error: "[^"]*" cannot be a value of a matrix$/,
    )
  assert.deepEqual(await brief(task('matrix = {}')), ['x.toml:3:1 error: tasks.a.matrix has no values'])
  assert.deepEqual(await brief(task('matrix = { os = ["l", "l"] }')), [
    'x.toml:3:1 error: tasks.a.matrix makes a[os=l] twice',
  ])
  assert.deepEqual(await brief(task('matrix = { os = [{ x = "y" }] }')), [
    'x.toml:3:17 error: the values of os must be strings',
  ])
  assert.deepEqual(await brief(task('matrix = { os = ["l"], exclude = [{ o = "l" }] }')), [
    'x.toml:3:35 error: "o" is no axis of this matrix',
  ])
  assert.deepEqual(await brief(task('matrix = { os = ["l"], exclude = [{ os = "m" }] }')), [
    'x.toml:3:35 warning: this excludes nothing',
  ])
  assert.deepEqual(await brief(task('matrix = { os = ["l"], exclude = [{ os = "l" }] }')), [
    'x.toml:3:1 error: nothing is left of tasks.a.matrix',
  ])
  const many = JSON.stringify(Array.from({ length: 101 }, (_, index) => `${index}`))
  assert.deepEqual(await brief(task(`matrix = { x = ${many}, y = ${many} }`)), [
    'x.toml:3:1 error: tasks.a.matrix makes 10201 nodes: more than 10000',
  ])
  const half = JSON.stringify(Array.from({ length: 6000 }, (_, index) => `${index}`))
  assert.deepEqual(await brief(`[tasks.a]\ncmd = "x"\nmatrix.x = ${half}\n[tasks.b]\ncmd = "x"\nmatrix.x = ${half}`), [
    'x.toml:4:8 error: the workflow has more than 10000 nodes',
  ])
  const some = JSON.stringify(Array.from({ length: 500 }, (_, index) => `${index}`))
  assert.deepEqual(
    await brief(
      `[tasks.a]\ncmd = "x"\nmatrix.x = ${some}\n[tasks.b]\ncmd = "x"\nmatrix.x = ${some}\ndepends_on = ["a"]`,
    ),
    ['x.toml:7:1 error: the nodes of the workflow wait for each other more than 200000 times'],
  )
  assert.deepEqual(await brief(task('matrix_limit = 2\nfail_fast = false')), [
    'x.toml:3:16 warning: matrix_limit means nothing without a matrix',
    'x.toml:4:13 warning: fail_fast means nothing without a matrix',
  ])
})

test('registered names', async () => {
  assert.equal(
    await shown(task('matrix = { os = ["l", "m"] }\nregister = "artifact"')),
    [
      'x.toml:4:12 error: "artifact" is set by a[os=l] and by a[os=m]',
      '   4 │ register = "artifact"',
      '     │            ^^^^^^^^^^ give each node its own: artifact_{{.os}}',
    ].join('\n'),
  )
  assert.deepEqual(await brief(task('register = "v"', '[tasks.b]\ncmd = "x"\nregister = "v"')), [
    'x.toml:6:12 error: "v" is set by a and by b',
  ])
  assert.deepEqual(await brief(task('register = "v"'), { vars: ['v'] }), [
    'x.toml:3:12 error: "v" is set by --var and by a',
  ])
  const wrong: Readonly<Record<string, string>> = {
    'a b': '"a b" cannot be the name of a variable',
    '': '"" cannot be the name of a variable',
    'x[y]': '"x[y]" cannot be the name of a variable',
    failed_task: '"failed_task" is what handlers are told; a task cannot set it',
    contains: '"contains" means something in a condition, and cannot be a variable',
    'a.v': '"a.v" would be read as a value of the task "a"',
    'v_{{.os}}': "the name of a variable can have values of the task's matrix in it, and {{.os}} is none of them",
  }
  for (const [name, message] of Object.entries(wrong))
    assert.deepEqual(await brief(task(`register = "${name}"`)), [`x.toml:3:12 error: ${message}`])
  assert.deepEqual(await brief(task('matrix = { os = ["l"] }\nregister = "os"')), [
    'x.toml:4:12 error: "os" is an axis of the task\'s matrix: its value is fixed',
  ])
  assert.deepEqual(await brief(task('matrix = { dir = ["./x"] }\nregister = "v_{{.dir}}"')), [
    'x.toml:4:12 error: "v_./x" cannot be the name of a variable',
  ])
})

test('a variable has a value when it is asked for', async () => {
  const two = (cmd: string, more = '') => `[tasks.a]\ncmd = "x"\nregister = "v"\n[tasks.b]\ncmd = ${cmd}\n${more}`
  assert.equal(
    await shown(two('"echo {{.v}}"')),
    [
      'x.toml:5:13 error: {{.v}}: a sets it, and may not have run yet',
      '   5 │ cmd = "echo {{.v}}"',
      '     │             ^^^^^^ add it to depends_on = ["a"] of b',
    ].join('\n'),
  )
  assert.deepEqual(await brief(two('"echo {{.v}}"', 'depends_on = ["a"]')), [])
  assert.deepEqual(await brief(two('"x"', 'env = { V = "x {{.v}}" }\nif = "z == 1 or v == 2"')), [
    'x.toml:6:16 error: {{.v}}: a sets it, and may not have run yet',
    'x.toml:7:17 error: {{.v}}: a sets it, and may not have run yet',
  ])
  assert.deepEqual(await brief(two('"echo {{.a.other}}"')), [
    'x.toml:5:13 error: {{.a.other}}: a sets it, and may not have run yet',
  ])
  assert.deepEqual(await brief('[tasks.a]\ncmd = "echo {{.v}}"\nregister = "v"'), [
    'x.toml:2:13 error: {{.v}}: a sets it itself, at its end',
  ])
  // Far above is before too.
  assert.deepEqual(
    await brief(
      '[tasks.a]\ncmd = "x"\nregister = "v"\n[tasks.b]\ncmd = "x"\ndepends_on = ["a"]\n[tasks.c]\ncmd = "echo {{.v}}"\ndepends_on = ["b"]',
    ),
    [],
  )
  assert.deepEqual(
    await brief(
      `on_failure = "h"\n${two('"x"', '[tasks.h]\ntype = "forensic"\ncmd = "echo {{.v}} {{.error_message}}"')}`,
    ),
    ['x.toml:9:13 warning: {{.v}}: a may not have run when this handler does'],
  )
  assert.deepEqual(
    await brief(
      'on_failure = "h"\n[tasks.a]\ncmd = "echo {{.v}}"\n[tasks.h]\ntype = "forensic"\ncmd = "x"\nregister = "v"',
    ),
    ['x.toml:3:13 error: {{.v}}: the handler h sets it, which runs after all others if at all'],
  )
  assert.deepEqual(await brief('[tasks.a]\ncmd = "echo {{.failed_task}}"'), [
    'x.toml:2:13 error: {{.failed_task}}: only handlers are told this',
  ])
  assert.equal(
    await shown('[tasks.a]\ncmd = "x"\nregister = "version"\n[tasks.b]\ndepends_on = ["a"]\ncmd = "echo {{.verison}}"'),
    [
      'x.toml:6:13 warning: {{.verison}}: no task sets it',
      '   6 │ cmd = "echo {{.verison}}"',
      '     │             ^^^^^^^^^^^^ did you mean {{.version}}? If not, give it with --var',
    ].join('\n'),
  )
})

test('values of a matrix from outside of it', async () => {
  const build = '[tasks.build]\ncmd = "x"\nmatrix = { os = ["l", "m"], lang = ["c"] }\n[tasks.a]\ncmd = '
  assert.deepEqual(await brief(`${build}"echo {{.build.lang}} {{.build[lang=c,os=l].os}}"`), [])
  assert.equal(
    await shown(`${build}"echo {{.build.os}}"`),
    [
      'x.toml:5:13 error: {{.build.os}}: build has 2 nodes, which have no common value of os',
      '   5 │ cmd = "echo {{.build.os}}"',
      '     │             ^^^^^^^^^^^^^ name the node: {{.build[lang=c,os=l].os}}',
    ].join('\n'),
  )
  assert.equal(
    (await shown(`${build}"echo {{.build[os=l,lang=c].os}}"`)).split('\n')[0],
    'x.toml:5:13 error: {{.build[os=l,lang=c].os}}: there is no node build[os=l,lang=c]',
  )
})

test('names of the environment', async () => {
  for (const name of [
    'LD_PRELOAD',
    'ld_debug',
    'DYLD_X',
    'BASH_ENV',
    'ENV',
    'IFS',
    'NODE_OPTIONS',
    'PYTHONPATH',
    'PERL5OPT',
    'RUBYOPT',
    'GIT_SSH_COMMAND',
    'GIT_CONFIG_COUNT',
    'DWF_VALUE_1',
    'WF_RUN_ID',
    '_JAVA_OPTIONS',
  ])
    assert.match(
      (await brief(task(`env = { ${name} = "x" }`))).join(),
      new RegExp(`^x\\.toml:3:9 error: env cannot set ${name}: `),
    )
  assert.match(await shown(task('env = { GIT_SSH_COMMAND = "x" }')), /\^ give it another name$/)
  // Fixed ones are what people set; a value would be a program.
  for (const name of ['PAGER', 'EDITOR', 'VISUAL', 'SSH_ASKPASS', 'LESSOPEN', 'MAKEFLAGS', 'GIT_SEQUENCE_EDITOR']) {
    assert.deepEqual(await brief(task(`env = { ${name} = "x" }`)), [], name)
    assert.match(
      (await brief(task(`env = { ${name} = "x {{.a}}" }`))).join(),
      new RegExp(`error: env cannot set ${name}: `),
    )
  }
  assert.deepEqual(await brief(task('env = { PATH = "/x" }')), [
    'x.toml:3:9 warning: env replaces PATH: it decides which programs are run',
  ])
  for (const name of ['env', 'APP_ENV', 'LDX', '__proto__'])
    assert.deepEqual(await brief(task(`env = { ${name} = "x" }`)), [], name)
  assert.deepEqual(await brief(task('env = { "1A" = "x" }')), [
    'x.toml:3:9 error: "1A" cannot be a key of tasks.a.env: expected a name of letters, digits and underscores that begins with no digit',
  ])
})

test('secrets are no variables', async () => {
  assert.deepEqual(await brief('[tasks.a]\ncmd = "curl -H {{.TOKEN}}"\nsecrets = ["TOKEN"]'), [
    'x.toml:2:16 error: {{.TOKEN}} is a secret of this task, and no variable',
  ])
  assert.deepEqual(await brief(task('secrets = ["TOKEN"]\nenv = { TOKEN = "x" }')), [
    'x.toml:4:9 error: TOKEN is in env and in secrets',
  ])
})

test('working_dir', async () => {
  mkdirSync(join(root, 'inner'), { recursive: true })
  symlinkSync('/proc/self', join(root, 'process'))
  symlinkSync('/usr', join(root, 'away'))
  const dir = (value: string) => brief(task(`working_dir = ${JSON.stringify(value)}`))
  const onHost = (value: string) => brief(`runtime = "host"\n${task(`working_dir = ${JSON.stringify(value)}`)}`)
  assert.deepEqual(await dir('./inner'), [])
  assert.deepEqual(await dir('inner'), ['x.toml:3:15 warning: "inner" is taken from the root of the project'])
  for (const bad of ['/proc/self', '/sys', '/dev/shm', './../../../../../../proc/1', '/tmp/../sys'])
    for (const says of [dir, onHost])
      assert.match((await says(bad)).join(), /^x\.toml:\d:15 error: a task cannot work in \/(proc|sys|dev)/, bad)
  assert.match((await onHost('./process/fd')).join(), /^x\.toml:4:15 error: a task cannot work in \/proc\//)
  assert.deepEqual(await dir('./../x'), ['x.toml:3:15 error: "./../x" is outside of the project'])
  assert.deepEqual(await dir('./away/x'), ['x.toml:3:15 error: "./away/x" is a link that leads out of the project'])
  assert.deepEqual(await onHost('./../x'), [])
  assert.deepEqual(await onHost('/var/tmp'), [])
  assert.deepEqual(await dir('/opt/app'), [
    'x.toml:3:15 warning: /opt/app is another folder, or none, on other machines and in containers',
  ])
  assert.deepEqual(await dir('./{{.x}}'), ['x.toml:3:15 error: working_dir has no variables'])
  assert.match((await dir('./a\0b')).join(), /^x\.toml:3:15 error: tasks\.a\.working_dir cannot be /)
})

test('what is allowed and seldom meant is a warning', async () => {
  const warnings: Readonly<Record<string, string>> = {
    'timeout = "500ms"': 'x.toml:3:11 warning: 500ms is less than a second',
    'timeout = "25h"': 'x.toml:3:11 warning: 25h is more than a day',
    'timeout = "2m"\ntotal_timeout = "1m"': 'x.toml:4:17 warning: 1m for all attempts is less than 2m for one',
    'retries = 11\nretry_delay = "1s"': 'x.toml:3:11 warning: 11 retries are many: a real failure shows late',
    'retries = 1': 'x.toml:3:11 warning: it is tried again at once',
    'retries = 1\nretry_delay = "50ms"': 'x.toml:4:15 warning: 50ms is less than 100 ms',
    'retry_delay = "1s"': 'x.toml:3:15 warning: retry_delay means nothing without retries',
    'retries = 1\nretry_delay = "9s"\nretry_max_delay = "1s"': 'x.toml:5:19 warning: 1s is less than retry_delay',
    'register = "v"\nignore_failure = true\nretries = 1\nretry_delay = "0s"':
      'x.toml:3:12 warning: a task that may fail gives no value then, and what asks for it fails',
  }
  for (const [lines, warning] of Object.entries(warnings)) assert.deepEqual(await brief(task(lines)), [warning])
  assert.deepEqual(await brief(`name = "y"\n${task('')}`), [
    'x.toml:1:8 warning: the workflow calls itself "y", and its file "x"',
  ])
  assert.deepEqual(await brief(`${task('')}[[triggers]]\ntype = "cron"\nanything = { at = "all" }`), [
    'x.toml:4:3 warning: triggers are read and start nothing: dwf has no service that waits',
  ])
  assert.deepEqual(await brief(`runtime = "host"\nnetwork = "none"\n${task('')}`), [
    'x.toml:2:11 warning: nothing keeps a task on the host from the network',
  ])
})

test('a problem inside of a command is found in every kind of string', async () => {
  const at = async (cmd: string) => (await brief(`[tasks.a]\ncmd = ${cmd}`)).map((line) => line.split(' ')[0])
  assert.deepEqual(await at('"sh -c {{.a}}"'), ['x.toml:2:14'])
  assert.deepEqual(await at('"echo \\"a\\tb \\u00e9 \\U0001F600\\"; sh -c {{.a}}"'), ['x.toml:2:47'])
  assert.deepEqual(await at("'sh -c {{.a}}'"), ['x.toml:2:14'])
  assert.deepEqual(await at('"""\ntrue\n  sh -c {{.a}}"""'), ['x.toml:4:9'])
  assert.deepEqual(await at("'''\ntrue\n  sh -c {{.a}}'''"), ['x.toml:4:9'])
  assert.deepEqual(await at('"""true \\\n\n    && sh -c {{.a}}"""'), ['x.toml:4:14'])
  assert.deepEqual(await at('"""true\r\nsh -c {{.a}}"""'), ['x.toml:3:7'])
  const inline = await brief('tasks.a = { cmd = "sh -c {{.a}}" }')
  assert.match(inline[0]!, /^x\.toml:1:26 error/)
})

test('a condition with a slip is pointed at', async () => {
  assert.equal(
    await shown(task('if = "env == prod & x"')),
    [
      'x.toml:3:19 error: expected "and", "or" or the end, not "&"',
      '   3 │ if = "env == prod & x"',
      '     │                   ^ text with blanks or signs stands in quotes',
    ].join('\n'),
  )
})
