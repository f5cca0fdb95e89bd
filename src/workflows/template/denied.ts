/** What a name means to some program that every task may start, so that its value decides what is run. */
const always: Readonly<Record<string, string>> = {
  BASHOPTS: 'bash takes options from it',
  BASH_ENV: 'bash runs the file that it names',
  CLASSPATH: 'Java loads code from it',
  ENV: 'sh runs the file that it names',
  GCONV_PATH: 'the C library loads code from it',
  GIT_ASKPASS: 'git runs what it names',
  GIT_EDITOR: 'git runs what it names',
  GIT_EXEC_PATH: 'git runs programs from it',
  GIT_EXTERNAL_DIFF: 'git runs what it names',
  GIT_PAGER: 'git runs what it names',
  GIT_PROXY_COMMAND: 'git runs what it names',
  GIT_SSH: 'git runs what it names',
  GIT_SSH_COMMAND: 'git runs what it names',
  GIT_TEMPLATE_DIR: 'git takes hooks from it',
  IFS: 'the shell splits words by it',
  JAVA_TOOL_OPTIONS: 'Java takes options from it',
  JDK_JAVA_OPTIONS: 'Java takes options from it',
  LUA_INIT: 'Lua runs it',
  NODE_OPTIONS: 'Node takes options from it',
  NODE_PATH: 'Node loads code from it',
  PERL5DB: 'Perl runs it',
  PERL5LIB: 'Perl loads code from it',
  PERL5OPT: 'Perl takes options from it',
  PROMPT_COMMAND: 'bash runs it',
  PS4: 'the shell expands it',
  PYTHONHOME: 'Python loads code from it',
  PYTHONPATH: 'Python loads code from it',
  PYTHONSTARTUP: 'Python runs the file that it names',
  RUBYLIB: 'Ruby loads code from it',
  RUBYOPT: 'Ruby takes options from it',
  SHELLOPTS: 'the shell takes options from it',
  WF_RUN_ID: 'dwf sets it',
  WF_TASK_ID: 'dwf sets it',
  WF_WORKFLOW: 'dwf sets it',
  _JAVA_OPTIONS: 'Java takes options from it',
}

/** As above, but people set them to something fixed, such as `PAGER=cat`. */
const fromValues: Readonly<Record<string, string>> = {
  EDITOR: 'programs run what it names',
  GIT_SEQUENCE_EDITOR: 'git runs what it names',
  LESSCLOSE: 'less runs it',
  LESSOPEN: 'less runs it',
  MAKEFLAGS: 'make takes options from it',
  PAGER: 'programs run what it names',
  SSH_ASKPASS: 'ssh runs what it names',
  VISUAL: 'programs run what it names',
}

const families: readonly (readonly [RegExp, string])[] = [
  [/^LD_/i, 'the loader of programs reads it'],
  [/^DYLD_/i, 'the loader of programs reads it'],
  [/^GIT_CONFIG/, 'git takes settings from it, and runs what they name'],
  [/^DWF_/, 'dwf sets it'],
]

const of = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

/** Why a variable of this name is not for a workflow to set; undefined: it may. */
export function whyDenied(name: string, { hasValue }: { readonly hasValue: boolean }): string | undefined {
  return (
    of(always, name) ?? (hasValue ? of(fromValues, name) : undefined) ?? families.find(([one]) => one.test(name))?.[1]
  )
}
