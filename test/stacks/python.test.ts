/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts as other languages read them */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asked, commands, said, unit, units } from './rig.ts'

const place = '/cache/python-venv-e3b0c44298fc/venv'
const own = 'export PATH="${PATH#"$VIRTUAL_ENV/bin:"}"'

test('pip: fixed requirements are the lock file', (t) => {
  const found = unit(t, {
    'requirements.txt':
      '# all\npytest==8.3.4 \\\n  --hash=sha256:aa\nRuff==0.8 ; python_version > "3"\nflake8 [x] == 1\npkg @ https://x.example/p.whl#sha256=00\n-r other.txt\n',
    'tests/test_a.py': '',
  })
  assert.equal(found.manager, 'pip')
  assert.equal(found.manifest, 'requirements.txt')
  assert.deepEqual(found.setup, {
    lockFiles: ['requirements.txt'],
    fetch: [
      'sh',
      '-c',
      'python -m pip download --only-binary=:all: -d "$PIP_CACHE_DIR/downloads" "$@"',
      'sh',
      '-r',
      'requirements.txt',
    ],
    install: [
      'sh',
      '-c',
      `(${own}; python -m venv --clear "$VIRTUAL_ENV") && python -m pip install --no-index --find-links "$PIP_CACHE_DIR/downloads" "$@"`,
      'sh',
      '-r',
      'requirements.txt',
    ],
    online: [
      'sh',
      '-c',
      `(${own}; python -m venv --clear "$VIRTUAL_ENV") && python -m pip install "$@"`,
      'sh',
      '-r',
      'requirements.txt',
    ],
    note: 'packages are fetched as wheels; one that has none needs [setup] scripts = "online"',
    split: true,
    outputs: [`${place}/pyvenv.cfg`],
  })
  assert.deepEqual(commands(found), {
    'lint:static': 'python -m ruff check .',
    'fmt:check': 'python -m ruff format --check .',
    'fmt:fix': 'python -m ruff format .',
    'test:unit': 'python -m pytest',
  })
  assert.deepEqual(found.caches, [
    {
      name: 'python-venv-e3b0c44298fc',
      env: { VIRTUAL_ENV: place, UV_PROJECT_ENVIRONMENT: place },
      path: ['venv/bin'],
    },
    { name: 'pip', env: { PIP_CACHE_DIR: '/cache/pip' } },
  ])
})

test('pip: requirements that leave versions open are no lock file', (t) => {
  const found = unit(t, { 'requirements.txt': 'flask==3.0\nrequests>=2\n' })
  assert.deepEqual(found.setup?.missingLock, {
    severity: 'error',
    code: 'missing-lock',
    message: 'requirements.txt leaves versions open',
    where: { file: 'requirements.txt', line: 2, column: 1, endColumn: 12, text: 'requests>=2' },
    hint: 'write the exact versions: "pip freeze", or pip-compile from a requirements.in; or use "uv lock"',
  })
  for (const line of ['a==1.*', 'a', 'a>=1,==1', 'git+https://x/y']) {
    assert.ok(unit(t, { 'requirements.txt': `${line}\n` }).setup?.missingLock, line)
  }
})

test('pip: a project is installed from what builds it, which is fetched too', (t) => {
  const found = unit(t, {
    'requirements.txt': 'a==1\n',
    'pyproject.toml':
      '[build-system]\nrequires = ["hatchling>=1", "--index-url=https://evil.example", "$(id)"]\n[project]\nname = "shop"\n',
  })
  assert.equal(found.name, 'shop')
  assert.deepEqual(found.setup?.fetch?.slice(3), ['sh', '-r', 'requirements.txt', 'hatchling>=1'])
  assert.ok(found.setup?.install?.[2]?.endsWith(' --no-deps -e .'))
})

test('pip: dependencies of pyproject.toml without requirements', (t) => {
  const found = unit(t, { 'pyproject.toml': '[project]\nname = "shop"\ndependencies = ["a"]\n' })
  assert.equal(found.setup?.missingLock?.where?.line, 3)
  assert.equal(
    found.setup?.missingLock?.hint,
    'run "uv lock", or "pip-compile -o requirements.txt pyproject.toml", and commit the result',
  )
})

test('nothing to install: no setup, and src on the path', (t) => {
  const found = unit(t, { 'pyproject.toml': '[project]\nname = "shop"\n', 'src/shop.py': '', 'tests/test_a.py': '' })
  assert.equal(found.setup, undefined)
  assert.equal(found.env.PYTHONPATH, 'src')
  assert.deepEqual(commands(found), { 'test:unit': 'python -m unittest discover -s tests' })
})

test('uv: groups and extras that hold the tools are installed, others are not', (t) => {
  const text = `[project]
name = "shop"
requires-python = ">=3.11"
[project.optional-dependencies]
docs = ["sphinx"]
[dependency-groups]
dev = ["ruff"]
test = ["pytest>=8", {include-group = "dev"}]
"$(id)" = ["mypy"]
[build-system]
requires = ["hatchling"]
[tool.uv]
required-version = ">=0.8"
`
  const found = unit(t, { 'pyproject.toml': text, 'uv.lock': '' })
  assert.deepEqual(found.setup?.fetch, [
    'sh',
    '-c',
    `${own}; uv sync --frozen --no-build --no-install-workspace --group=test && uv pip install --quiet --only-binary :all: --target "$(mktemp -d)" -- "$@"`,
    'sh',
    'hatchling',
  ])
  assert.deepEqual(found.setup?.install, ['sh', '-c', `${own}; exec uv sync --frozen --offline --group=test`])
  assert.deepEqual(found.setup?.lockFiles, ['uv.lock', 'pyproject.toml'])
  assert.deepEqual(asked(found), ['python >=3.11.0 pyproject.toml:3:1-16', 'uv >=0.8.0 pyproject.toml:13:1-17'])
  assert.equal(commands(found)['package:artifact'], `sh -c ${own}; exec uv build --offline`)
})

test('uv: without uv.lock', (t) => {
  const found = unit(t, {
    'pyproject.toml': '[project]\nname = "a"\ndependencies = ["b"]\n[tool.uv]\npackage = false\n',
  })
  assert.equal(found.setup?.missingLock?.hint, 'run "uv lock" and commit uv.lock')
})

test('uv: members of a workspace are no units', (t) => {
  const found = units(t, {
    'pyproject.toml': '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    'packages/a/pyproject.toml': '[project]\nname = "a"\n',
    'other/pyproject.toml': '[project]\nname = "b"\n',
    'tests/plugin/pyproject.toml': '[project]\nname = "fixture"\n',
  })
  assert.deepEqual(
    found.map((one) => one.dir),
    ['', 'other'],
  )
})

test('Poetry', (t) => {
  const text = `[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.10"
[tool.poetry.group.lint]
optional = true
[tool.poetry.group.lint.dependencies]
black = "*"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
`
  const found = unit(t, { 'pyproject.toml': text, 'poetry.lock': '' })
  assert.equal(found.name, 'shop')
  assert.deepEqual(asked(found), ['python >=3.10.0 <4.0.0 pyproject.toml:4:1-7', 'poetry *'])
  assert.deepEqual(found.setup?.install, ['sh', '-c', `${own}; exec poetry install --only-root`])
  assert.ok(
    found.setup?.fetch?.[2]?.endsWith('POETRY_INSTALLER_ONLY_BINARY=:all: poetry install --no-root --with=lint'),
  )
  assert.equal(commands(found)['fmt:check'], 'python -m black --check .')
  const open = unit(t, { 'pyproject.toml': text })
  assert.equal(open.setup?.missingLock?.hint, 'run "poetry lock" and commit poetry.lock')
})

test('tests by kind', (t) => {
  const files = { 'requirements.txt': 'pytest==8\n', 'tests/unit/test_a.py': '', 'tests/integration/test_b.py': '' }
  assert.deepEqual(commands(unit(t, files)), {
    'test:unit': 'python -m pytest tests/unit',
    'test:integration': 'python -m pytest tests/integration',
  })
  const { 'tests/unit/test_a.py': _, ...without } = files
  assert.equal(commands(unit(t, without))['test:unit'], 'python -m pytest --ignore=tests/integration')
})

test('tools that are not there are named with what to add', (t) => {
  const found = unit(t, { 'requirements.txt': 'a==1\n' })
  assert.deepEqual(
    found.missing.map((one) => one.command),
    ['fmt:check', 'fmt:fix', 'lint:static', 'build:release', 'test:unit', 'test:integration', 'package:artifact'],
  )
  assert.equal(found.missing[2]?.hint, 'add ruff, flake8 or pylint to the development dependencies')
})

test('a pyproject.toml that only configures tools is no project, nor are requirements of documents', (t) => {
  assert.deepEqual(
    units(t, {
      'pyproject.toml': '[tool.ruff]\nline-length = 100\n',
      'docs/requirements.txt': 'sphinx\n',
      'docs/conf.py': '',
    }),
    [],
  )
})

test('versions: .python-version beside requires-python', (t) => {
  const project = '[project]\nname = "a"\nrequires-python = "<3.12"\n'
  const found = unit(t, { 'pyproject.toml': project, '.python-version': '3.12\n' })
  assert.deepEqual(asked(found), ['python 3.12 .python-version:1:1-5'])
  assert.deepEqual(said(found), [
    'warning toolchain-disagreement .python-version:1:1: no version of python is both 3.12 (.python-version) and <3.12 (pyproject.toml); the first is taken',
  ])
  assert.deepEqual(said(unit(t, { 'pyproject.toml': project, '.python-version': 'pypy3.11' })), [
    'warning unknown-version .python-version:1:1: "pypy3.11" is no version of python that dwf understands; any is taken',
  ])
})

test('manifests that cannot be read', (t) => {
  assert.deepEqual(said(unit(t, { 'pyproject.toml': '[project\nname = "a"\n' })).length, 1)
  assert.deepEqual(said(unit(t, { 'pyproject.toml': '[project]\nname = 1\ndependencies = "x"\n' })).toSorted(), [
    'error manifest-type pyproject.toml:2:1: project.name must be text, not a number',
    'error manifest-type pyproject.toml:3:1: project.dependencies must be a list, not text',
  ])
})

test('a lock file of a tool that is not supported', (t) => {
  assert.deepEqual(said(unit(t, { 'pyproject.toml': '[project]\nname = "a"\n', 'pdm.lock': '' })), [
    'warning manager-disagreement: pdm.lock is not used: pyproject.toml is taken as a project of pip',
  ])
})
