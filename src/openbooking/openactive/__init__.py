"""The specification's words: types, statuses, error table, identifiers, money, RPDE arithmetic."""
