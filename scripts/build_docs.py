"""Build the documentation site: `python scripts/build_docs.py [--to FOLDER]`; by default in build/site."""

import argparse
import sys
from pathlib import Path

from docs_site.build import SiteError, build
from docs_site.pages import ROOT, BrokenLinkError


def main() -> None:
    """Build the site in the folder of the command line."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "site")
    to = parser.parse_args().to
    try:
        build(to)
    except (BrokenLinkError, SiteError) as fault:
        sys.exit(str(fault))
    print(f"The documentation is in {to / 'index.html'}.")


if __name__ == "__main__":
    main()
