"""The terms of the specification: Opportunity types, statuses, errors, identifiers, money, RPDE, inheritance."""
