"""HTTP: it authenticates, parses, calls and renders, and decides nothing."""
