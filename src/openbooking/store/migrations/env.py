"""Alembic's environment: runs migrations on the connection that `openbooking.store.migrate` passes."""

from alembic import context

from openbooking.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
