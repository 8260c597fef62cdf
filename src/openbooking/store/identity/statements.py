"""The SQL statements of the identity store.

They are written once for all databases, in SQLAlchemy Core, and compiled to text when they are first used.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from openbooking.identity.records import EVERY_SELLER, Authorization, Grant, IdentityRecord, Partner
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.identity.schema import TABLES, authorization, grant, partner

# The kinds of records that `access_rights` returns. Each row has the index of its kind in this sequence.
ACCESS_RECORDS: Sequence[type[IdentityRecord]] = (Partner, Grant, Authorization)


class IdentityStatements:
    """The statements. Each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self._compile = dialect.compile
        self.find = cache(self._find)
        self.add = cache(self._add)
        self.replace = cache(self._replace)
        self.remove = cache(self._remove)
        self.remove_unchanged = cache(self._remove_unchanged)
        self.remove_expired = cache(self._remove_expired)

    def _find(self, kind: type[IdentityRecord], names: tuple[str, ...]) -> Statement:
        """A parameter for each of `names` → the documents of the records with these values, ordered by key."""
        table = TABLES[kind]
        found = select(table.c.document).where(*_equal(table, names))
        return self._compile(found.order_by(*table.primary_key.columns))

    def _add(self, kind: type[IdentityRecord]) -> Statement:
        """A parameter for each column → one row if the record was added; none if its key exists already."""
        table = TABLES[kind]
        known = select(literal_column("1")).where(*_equal(table, _keys(table))).exists()
        row = select(*(bindparam(column.name, type_=column.type) for column in table.columns)).where(~known)
        return self._compile(insert(table).from_select(list(table.columns), row).returning(literal_column("1")))

    def _replace(self, kind: type[IdentityRecord]) -> Statement:
        """A parameter for each column, :before → one row if the record had the revision `before` and was replaced."""
        table = TABLES[kind]
        values = {c.name: bindparam(c.name, type_=c.type) for c in table.columns if not c.primary_key}
        changed = update(table).where(_is_unchanged(table)).values(values)
        return self._compile(changed.returning(literal_column("1")))

    def _remove_unchanged(self, kind: type[IdentityRecord]) -> Statement:
        """A parameter for each column of the key, :before → one row if the record had this revision and was deleted."""
        table = TABLES[kind]
        return self._compile(delete(table).where(_is_unchanged(table)).returning(literal_column("1")))

    def _remove(self, kind: type[IdentityRecord], names: tuple[str, ...]) -> Statement:
        """A parameter for each of `names` → nothing. Deletes the records with these values."""
        table = TABLES[kind]
        return self._compile(delete(table).where(*_equal(table, names)))

    def _remove_expired(self, kind: type[IdentityRecord]) -> Statement:
        """:now → nothing. Deletes the records that have expired."""
        table = TABLES[kind]
        return self._compile(delete(table).where(table.c.expires <= bindparam("now", type_=table.c.expires.type)))

    @cached_property
    def access_rights(self) -> Statement:
        """:partner :authorization :seller → index in ACCESS_RECORDS, document.

        The rows are the partner, its grants for the Seller or for all Sellers, and the authorization.
        """
        seller = bindparam("seller", type_=grant.c.seller.type)
        of_seller = or_(grant.c.seller == seller, grant.c.seller == literal_column(f"'{EVERY_SELLER}'"))
        key = bindparam("partner", type_=partner.c.key.type)
        return self._compile(
            union_all(
                select(literal_column("0"), partner.c.document).where(partner.c.key == key),
                select(literal_column("1"), grant.c.document).where(grant.c.partner == key, of_seller),
                select(literal_column("2"), authorization.c.document).where(
                    authorization.c.id == bindparam("authorization", type_=authorization.c.id.type)
                ),
            )
        )

    @cached_property
    def access_rights_by_api_key(self) -> Statement:
        """:digest → index in ACCESS_RECORDS, document.

        The rows are the partner whose API key, or former API key, has this digest, and all its grants.
        """
        digest = bindparam("digest", type_=partner.c.api_key_digest.type)
        same = or_(partner.c.api_key_digest == digest, partner.c.former_api_key_digest == digest)
        return self._compile(
            union_all(
                select(literal_column("0"), partner.c.document).where(same),
                select(literal_column("1"), grant.c.document).where(grant.c.partner == partner.c.key, same),
            )
        )


def _keys(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


def _is_unchanged(table: Table) -> ColumnElement[bool]:
    """Return whether a record has the key of the parameters and the revision :before."""
    return and_(*_equal(table, _keys(table)), table.c.revision == bindparam("before", type_=Integer))


def _equal(table: Table, names: tuple[str, ...]) -> list[ColumnElement[Any]]:
    return [table.c[name] == bindparam(name, type_=table.c[name].type) for name in names]
