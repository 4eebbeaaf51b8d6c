"""`make audit`: report known vulnerabilities of installed packages, or that none could be checked.

pip-audit reports a package that its service does not answer for as 'skipped' and succeeds, which must not pass.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SERVICES = ("pypi", "osv")
CLEAN, WEAK, UNKNOWN = 0, 1, 2


def main() -> int:
    """Return 0 without known vulnerabilities, 1 with some, 2 when they could not be determined."""
    for service in SERVICES:
        answers = ask(service)
        if any("vulns" in one for one in answers):
            return report(answers)
        print(f"The service '{service}' gave no answer about any package.", file=sys.stderr)
    print("Nothing was audited: no service of known weaknesses can be reached from here.", file=sys.stderr)
    return UNKNOWN


def ask(service: str) -> list[dict[str, Any]]:
    """Return pip-audit's result for each installed package; empty when it could not run."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--skip-editable", "--progress-spinner=off"]
    options = ["--format=json", f"--vulnerability-service={service}", "--timeout=10"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []
    return found


def report(answers: list[dict[str, Any]]) -> int:
    weak = [one for one in answers if one.get("vulns")]
    for one in weak:
        for known in one["vulns"]:
            better = ", ".join(known["fix_versions"]) or "none yet"
            print(f"{one['name']} {one['version']}: {known['id']}; fixed in: {better}")
    # our own package is on no index
    skipped = [one["name"] for one in answers if "vulns" not in one and one["name"] != "invite-app"]
    print(f"{len(answers) - len(skipped)} packages audited, {len(weak)} with known weaknesses.")
    if skipped:
        print(f"Not audited, since the service does not know them: {', '.join(skipped)}.", file=sys.stderr)
    return WEAK if weak else UNKNOWN if skipped else CLEAN


if __name__ == "__main__":
    sys.exit(main())
