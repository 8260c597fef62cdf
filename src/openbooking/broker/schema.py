"""The schema of a Broker's database: the tables of all areas, its version, and the steps from older versions."""

from openbooking.broker.api.token_store import TABLES as TOKENS
from openbooking.broker.catalogue.tables import TABLES as CATALOGUE
from openbooking.broker.money.tables import TABLES as MONEY
from openbooking.broker.orders.moves import TABLES as MOVES
from openbooking.broker.orders.untold import TABLES as UNTOLD
from openbooking.broker.orders.versions import TABLES as ORDERS
from openbooking.broker.ownership import TABLES as OWNERS
from openbooking.broker.store.database import Database, DatabaseError, Transaction

# All tables, as a new database gets them.
TABLES: tuple[str, ...] = (*MONEY, *OWNERS, *TOKENS, *ORDERS, *UNTOLD, *MOVES, *CATALOGUE)
# UPGRADES[n] brings a database of version n + 1 to version n + 2.
UPGRADES: tuple[tuple[str, ...], ...] = (UNTOLD,)
VERSION = len(UPGRADES) + 1

_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS broker_schema (version INTEGER NOT NULL)"


def prepare(database: Database, upgrades: tuple[tuple[str, ...], ...] = UPGRADES) -> None:
    """Create the tables in a new database, or bring those of an older version up to date. Other tables stay.

    Raises:
        DatabaseError: A newer version of this package has written the database, or the database cannot be used.
    """
    newest = len(upgrades) + 1
    with database.exclusive() as transaction:
        version = _version(transaction)
        if version > newest:
            raise DatabaseError(
                f"The Broker's database has version {version} of its schema, and this package knows versions up to "
                f"{newest}. Install a newer version of openbooking."
            )
        statements = [statement for upgrade in upgrades[version - 1 :] for statement in upgrade] if version else TABLES
        for statement in statements:
            transaction.execute(statement)
        if version != newest:
            transaction.execute("DELETE FROM broker_schema")
            transaction.execute("INSERT INTO broker_schema (version) VALUES (?)", (newest,))


def _version(transaction: Transaction) -> int:
    """Return the version of the schema; 0 for a new database."""
    transaction.execute(_VERSION_TABLE)
    row = transaction.execute("SELECT version FROM broker_schema").fetchone()
    return int(row[0]) if row else 0
