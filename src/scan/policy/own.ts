/** Identifiers of the findings that the policy makes itself, with `dwf` as their scanner. Nothing accepts them. */
export const ownFindings = ['ignore-expired', 'ignore-too-long', 'ignore-unmatched'] as const

export type OwnFinding = (typeof ownFindings)[number]
