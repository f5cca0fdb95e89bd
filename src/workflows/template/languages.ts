export const shell = /^(?:sh|r?bash|dash|[lm]?ksh|ash|zsh|fish|posh)$/

/** Languages whose program can be an argument: the option that it follows, and the options that take another word. */
export const languages: readonly { readonly name: RegExp; readonly program: RegExp; readonly options: string }[] = [
  { name: /^(?:python|pypy)[\d.]*$/, program: /^-[A-Za-ln-z]*c/, options: 'WX' },
  { name: /^perl[\d.]*$/, program: /^-(?![MmIxC])[A-Za-z0-9.]*[eE]/, options: 'I' },
  { name: /^ruby[\d.]*$/, program: /^-[A-Za-z]*e/, options: 'rICEx' },
  { name: /^(?:node|nodejs|bun)$/, program: /^(?:-[ep]|--eval|--print)/, options: 'rC' },
  { name: /^php[\d.]*$/, program: /^-[rBRE]/, options: 'dczn' },
  { name: /^(?:lua[\d.]*|Rscript|osascript)$/, program: /^-e/, options: 'lW' },
]
