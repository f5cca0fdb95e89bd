/** Scanners as actions, by repository, with the name that a finding calls them. */
export const scannerActions: ReadonlyMap<string, string> = new Map([
  ['aquasecurity/trivy-action', 'trivy'],
  ['anchore/scan-action', 'grype'],
  ['github/codeql-action', 'codeql'],
  ['gitleaks/gitleaks-action', 'gitleaks'],
  ['trufflesecurity/trufflehog', 'trufflehog'],
  ['google/osv-scanner-action', 'osv-scanner'],
  ['bridgecrewio/checkov-action', 'checkov'],
  ['hadolint/hadolint-action', 'hadolint'],
  ['zizmorcore/zizmor-action', 'zizmor'],
  ['semgrep/semgrep-action', 'semgrep'],
  ['returntocorp/semgrep-action', 'semgrep'],
  ['golang/govulncheck-action', 'govulncheck'],
  ['securego/gosec', 'gosec'],
  ['pypa/gh-action-pip-audit', 'pip-audit'],
  ['rustsec/audit-check', 'cargo audit'],
  ['actions-rust-lang/audit', 'cargo audit'],
  ['embarkstudios/cargo-deny-action', 'cargo deny'],
  ['actions/dependency-review-action', 'dependency-review'],
])

const names =
  'dwf|trivy|grype|snyk|semgrep|opengrep|codeql|gitleaks|trufflehog|osv-scanner|checkov|tfsec|kics|terrascan|hadolint|dockle|zizmor|govulncheck|gosec|bandit|pip-audit|brakeman|(?:npm|pnpm|yarn) audit|cargo (?:audit|deny)|docker scout|codeql database'
/** At the start of a command: behind a line end, a separator, a variable, or a program that runs another one. */
const command = new RegExp(
  `(?:^|[;&|({!]|\\b(?:then|do|else|if|sudo|time|exec|npx|bunx|uvx|pipx run|uv run|poetry run|npm exec(?: --)?|pnpm (?:exec|dlx)))\\s*(?:\\w{1,100}=\\S{0,200} +)*(?:[\\w./~$-]{0,100}/)?(${names})(?=[\\s;&|)]|$)(?![^\\n;&|]{0,40}(?:--version|\\bversion\\b|--help|\\binstall\\b|\\bdb\\b))`,
)

/** The scanner that a script starts, if it starts one. */
export function runsScanner(script: string): string | undefined {
  for (const line of commands(script)) {
    const found = command.exec(line)?.[1]
    if (found) return found
  }
  return undefined
}

/** Whether a script starts a scanner and then says that all is well whatever it answered. */
export function swallowed(script: string): boolean {
  return commands(script).some((line) => /(\|\||;)\s*(true|:|exit 0)\s*(#[\s\S]*)?$/.test(line) && command.test(line))
}

/** Lines of a script, continued ones put together. */
export function lines(script: string): readonly string[] {
  return script.replace(/\\\r?\n/g, ' ').split('\n')
}

/** Comments left out. No line of a script is as long as is looked at. */
function commands(script: string): readonly string[] {
  return lines(script)
    .map((line) => line.trim().slice(0, 4000))
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** Inputs of actions that run what they are given, as zizmor and CodeQL list them. */
export const codeInputs: ReadonlyMap<string, readonly string[]> = new Map([
  ['actions/github-script', ['script']],
  ['azure/cli', ['inlineScript']],
  ['azure/powershell', ['inlineScript']],
  ['appleboy/ssh-action', ['script']],
  ['nick-fields/retry', ['command', 'on_retry_command', 'new_command_on_retry']],
  ['nick-invision/retry', ['command', 'on_retry_command', 'new_command_on_retry']],
  ['jannekem/run-python-script-action', ['script']],
  ['cardinalby/js-eval-action', ['expression']],
  ['addnab/docker-run-action', ['run']],
  ['devorbitus/yq-action-output', ['cmd']],
  ['mikefarah/yq', ['cmd']],
  ['amadevus/pwsh-script', ['script']],
])
