"""The backend for PostgreSQL.

Change numbers are given after the commit: see `openbooking.store.numbering`. Rows are locked in
`openbooking.store.loading`.
"""
