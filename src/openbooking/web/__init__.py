"""HTTP: authenticates callers, parses requests, calls commands and renders replies. It decides nothing."""
