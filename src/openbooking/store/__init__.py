"""The stores: in memory (`memory`), and in an SQL database (`sql`) with a backend for SQLite and one for PostgreSQL.

Where to find things:

- a batch of commands is one transaction: `SqlStore._decide` in `sql`, and `command_queue`;
- rows are locked: `loading` (locks in PostgreSQL), `sqlite.write_lock` (the only writer of a file), `locks` (which rows
  other transactions have locked);
- change numbers are given to feed items: `numbering`;
- Leases that have ended are found: `Statements.expired_records`, read by `loading`;
- erased data is wiped from the disk: `postgres.purge`, and `SqliteDatabase.purge_deleted`;
- a database with an older or newer schema is refused: `migrate.prepare`;
- disk space is reserved for a full disk: `sqlite.reserve` and `postgres.reserve`.
"""
