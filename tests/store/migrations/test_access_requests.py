"""Migration 0016: a database of the version before gets a table for access requests, and keeps its users."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, text

from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.records import Role, User
from openbooking.settings import Settings
from openbooking.store.documents import encode
from openbooking.store.migrate import run_in_migration, upgrade
from openbooking.system import open_identity_store
from support.builders import NOW
from support.databases.earlier_schemas import upgrade_to

pytestmark = pytest.mark.usefixtures("real_migrations")

ANN = User(name="ann", seller="centre", role=Role.MANAGER, revision=1)
ASKED = AccessRequest(
    id="r1", name="Dee", email="dee@example.com", organisation="Fit", received=NOW, expires=NOW + timedelta(days=90)
)


def test_a_database_of_the_version_before_stores_access_requests(database: str) -> None:
    def fill(connection: Connection) -> None:
        upgrade_to("0015", connection)
        document = encode(ANN).replace(b',"is_administrator":false', b"")
        add = "INSERT INTO seller_user (name, seller, revision, document) VALUES ('ann', 'centre', 1, :document)"
        connection.execute(text(add), {"document": document})

    async def use() -> None:
        store = open_identity_store(Settings(database=database))
        try:
            assert await store.find(User) == [ANN]
            assert await store.save(ASKED)
            assert await store.find(AccessRequest) == [replace(ASKED, revision=1)]
            await store.remove_expired(ASKED.expires)
            assert await store.find(AccessRequest) == []
        finally:
            await store.close()

    run_in_migration(database, fill)
    assert upgrade(database).revision >= "0016"
    asyncio.run(use())
