import type { FindingSeverity } from './types.ts'

/**
 * The classes in which Trivy puts licences, by SPDX identifier without `-only` and `-or-later`, and the severities that
 * it gives them: pkg/licensing/expression/category.go and pkg/licensing/scanner.go of github.com/aquasecurity/trivy, as
 * seen in 2026. Trivy 0.76 calls a whole text unknown when it cannot read it, or does not know one of its names; with
 * this list the names that it does know still count.
 */
const classes = {
  critical: `
    AGPL-1.0 AGPL-3.0 CC-BY-NC-1.0 CC-BY-NC-2.0 CC-BY-NC-2.5 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-1.0 CC-BY-NC-ND-2.0
    CC-BY-NC-ND-2.5 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-1.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-2.5 CC-BY-NC-SA-3.0
    CC-BY-NC-SA-4.0 Commons-Clause Facebook-2-Clause Facebook-3-Clause Facebook-Examples WTFPL`,
  high: `
    BCL CC-BY-ND-1.0 CC-BY-ND-2.0 CC-BY-ND-2.5 CC-BY-ND-3.0 CC-BY-ND-4.0 CC-BY-SA-1.0 CC-BY-SA-2.0 CC-BY-SA-2.5
    CC-BY-SA-3.0 CC-BY-SA-4.0 GPL-1.0 GPL-2.0 GPL-3.0 LGPL-2.0 LGPL-2.1 LGPL-3.0 NPL-1.0 NPL-1.1 OSL-1.0 OSL-1.1 OSL-2.0
    OSL-2.1 OSL-3.0 QPL-1.0 Sleepycat`,
  medium: `
    APSL-1.0 APSL-1.1 APSL-1.2 APSL-2.0 CDDL-1.0 CDDL-1.1 CPL-1.0 EPL-1.0 EPL-2.0 FreeImage IPL-1.0 MPL-1.0 MPL-1.1
    MPL-2.0 Ruby`,
  low: `
    0BSD AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 Apache-1.0 Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-cl8
    Artistic-1.0-Perl Artistic-2.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-FreeBSD BSD-2-Clause-NetBSD BSD-3-Clause
    BSD-3-Clause-Attribution BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-4-Clause BSD-4-Clause-UC BSD-Protection BSL-1.0
    CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC0-1.0 FTL ImageMagick ISC Libpng Lil-1.0 Linux-OpenIB LPL-1.0
    LPL-1.02 MIT MS-PL NCSA OpenSSL PHP-3.0 PHP-3.01 PIL PostgreSQL Python-2.0 Python-2.0-complete SGI-B-1.0 SGI-B-1.1
    SGI-B-2.0 Unicode-DFS-2015 Unicode-DFS-2016 Unicode-TOU Unlicense UPL-1.0 W3C W3C-19980720 W3C-20150513 X11 Xnet
    Zend-2.0 Zlib zlib-acknowledgement ZPL-1.1 ZPL-2.0 ZPL-2.1`,
} as const

const severities = new Map<string, FindingSeverity>(
  (['critical', 'high', 'medium', 'low'] as const).flatMap((severity) =>
    classes[severity]
      .trim()
      .split(/\s+/)
      .map((name) => [name.toLowerCase(), severity] as const),
  ),
)

/** `unknown` for a name that is in no class. The name is in small letters, without `-only`, `-or-later` and `+`. */
export function severityOfLicense(name: string): FindingSeverity {
  return severities.get(name) ?? 'unknown'
}

/** What Trivy calls a class, by its severity. */
export const classNames: Readonly<Record<FindingSeverity, string>> = {
  critical: 'forbidden',
  high: 'restricted',
  medium: 'reciprocal',
  low: 'permissive',
  unknown: 'unknown',
}
