"""`make audit`: known weaknesses in what is installed here, or a plain word that nobody could be asked.

pip-audit calls a package that its service does not answer for 'skipped' and ends well, which must not pass for clean.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SERVICES = ("pypi", "osv")
CLEAN, WEAK, UNKNOWN = 0, 1, 2


def main() -> int:
    """0 when nothing is known against what is installed, 1 when something is, 2 when that could not be found out."""
    for service in SERVICES:
        answers = ask(service)
        if any("vulns" in one for one in answers):
            return report(answers)
        print(f"The service '{service}' gave no answer about any package.", file=sys.stderr)
    print("Nothing was audited: no service of known weaknesses can be reached from here.", file=sys.stderr)
    return UNKNOWN


def ask(service: str) -> list[dict[str, Any]]:
    """What pip-audit says of each installed package; nothing when it could not ask."""
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
            print(f"{one['name']} {one['version']}: {known['id']}; mended in: {better}")
    # our own package is on no index, and is not asked about
    skipped = [one["name"] for one in answers if "vulns" not in one and one["name"] != "invite-app"]
    print(f"{len(answers) - len(skipped)} packages audited, {len(weak)} with known weaknesses.")
    if skipped:
        print(f"Not audited, since the service does not know them: {', '.join(skipped)}.", file=sys.stderr)
    return WEAK if weak else UNKNOWN if skipped else CLEAN


if __name__ == "__main__":
    sys.exit(main())
