"""The terms of the specification, without I/O and without rules of booking.

- `opportunity_types.py`: the table of Opportunity types; `opportunity_row.py`: the shape of its rows.
- `messages/`: the messages of the API as typed structs.
- `errors.py`: every error class with its status.
- `ids.py`: `@id`s and UUIDs, made and parsed.
- `money.py`: rounding, VAT rates and the form of a price.
- `rpde.py`: feed pages as JSON, and the limits of a page.
- `inheritance.py`: the properties that a child inherits from its parent.
- `terms.py`: statuses and other enumerations; `durations.py`: ISO 8601 durations; `web_addresses.py`: web links.
"""
