"""Check that other hosts answer the links of the documentation: `python scripts/check_links.py`. Needs a network."""

import sys

from docs_site.external_links import check_links

if __name__ == "__main__":
    sys.exit(check_links())
