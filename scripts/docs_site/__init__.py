"""The documentation site, and the check of its links to other hosts."""
