"""Moving in: the bookings of a former system, in a CSV file, become Orders of the front desk.

- `columns` reads the file. Each fault names its line and column.
- `occurrences` finds the Opportunity of each row.
- `requests` makes the request of each row.
- `run` books all rows in one transaction, or none of them.
"""
