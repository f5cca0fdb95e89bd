"""Reads a SARIF and a JUnit file with the programs of others, and says what they made of them, as JSON."""

import io
import json
import sys
import types
from contextlib import redirect_stdout

# sarif-tools reads its filters with PyYAML, which is compiled and not needed here.
sys.modules["yaml"] = types.ModuleType("yaml")

import junitparser  # noqa: E402
from sarif import loader  # noqa: E402
from sarif.operations import summary_op  # noqa: E402

sarif = loader.load_sarif_files(sys.argv[1])
summary = io.StringIO()
with redirect_stdout(summary):
    summary_op.generate_summary(sarif, None, False)

junit = junitparser.JUnitXml.fromfile(sys.argv[2])
print(
    json.dumps(
        {
            "tools": sorted(sarif.get_distinct_tool_names()),
            "records": [
                {"code": one["Code"], "severity": one["Severity"], "file": one["Location"], "line": one["Line"]}
                for one in sarif.get_records()
            ],
            "summary": summary.getvalue(),
            "junit": {
                "totals": [junit.tests, junit.failures, junit.errors, junit.skipped],
                "cases": [
                    {"suite": suite.name, "name": case.name, "result": [type(one).__name__ for one in case.result]}
                    for suite in junit
                    for case in suite
                ],
            },
        }
    )
)
