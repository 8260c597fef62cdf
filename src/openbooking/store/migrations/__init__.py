"""The migrations of the schema, which Alembic runs: `versions` has one file for each revision."""
