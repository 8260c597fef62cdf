"""Writes docs/reference/licences.md: the licence of each library that the package needs, as its own metadata names it.

Ends with status 1 if a licence is not among those that MIT software may depend on.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"
# Licences without conditions on software that uses the library, beyond a notice of copyright.
ALLOWED = frozenset(
    {
        *("Apache-2.0", "Apache Software License", "BSD License", "BSD-2-Clause", "BSD-3-Clause"),
        *("ISC License (ISCL)", "MIT", "MIT License", "MIT-0", "PSF-2.0"),
    }
)
_HEAD = """# Licences

`openbooking` has the MIT licence. These are the licences of the libraries that it needs, as their own metadata names
them. `make licences` writes this page, and fails for a licence with conditions on software that uses the library.

| Library | Licence |
|---|---|
"""


def pinned() -> list[str]:
    """Return the names of the libraries in requirements.txt."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return sorted(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, re.MULTILINE))


def licences() -> dict[str, str]:
    """Return the licence of each library, by its name."""
    tool = str(Path(sys.executable).with_name("pip-licenses"))
    command = [tool, f"--python={sys.executable}", "--from=mixed", "--format=json", "--packages", *pinned()]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {row["Name"].lower().replace("_", "-"): row["License"] for row in rows}


def not_allowed(licence: str) -> list[str]:
    """Return the names of licences in an expression that are not allowed. Of alternatives one must be allowed."""
    parts = [part.split(" OR ") for part in re.split(r"; | AND ", licence)]
    return [name for names in parts for name in names if not ALLOWED & set(names)]


def page(found: dict[str, str]) -> str:
    """Return the page."""
    return _HEAD + "".join(f"| {name} | {licence} |\n" for name, licence in sorted(found.items()))


if __name__ == "__main__":
    every = licences()
    PAGE.write_text(page(every), encoding="utf-8")
    if refused := [f"{name}: {licence}" for name, licence in every.items() if not_allowed(licence)]:
        sys.exit(f"Licences that are not allowed: {', '.join(refused)}")
