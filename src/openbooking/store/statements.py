"""The statements of the SQL stores, written in SQLAlchemy Core and compiled once to text for the driver.

A list of values is passed as one JSON array, so that each statement has one text however long the list.
"""

import re
from functools import cached_property
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement

from openbooking.store.schema import claim, counter, feed_item, opportunity, partner, personal_data, record, seller


class Statements:
    """Texts with named parameters (`:name`) for SQLite."""

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="named")

    def _text(self, statement: ClauseElement) -> str:
        """The statement's text, its constants written out so that only what the caller passes is a parameter."""
        compiled = statement.compile(dialect=self._dialect)
        text = str(compiled)
        for name, value in compiled.params.items():
            if value is not None:
                literal = f"'{value}'" if isinstance(value, str) else str(value)
                text = re.sub(rf":{name}\b", literal, text)
        return text

    @cached_property
    def record(self) -> str:
        """:partner :uuid → document, personal document."""
        same = (personal_data.c.partner == record.c.partner) & (personal_data.c.uuid == record.c.uuid)
        found = select(record.c.document, personal_data.c.document.label("personal")).select_from(
            record.outerjoin(personal_data, same)
        )
        return self._text(found.where(_is(record.c.partner), _is(record.c.uuid)))

    @cached_property
    def expired_records(self) -> str:
        """:now → partner, uuid of up to :most records with an ended lease."""
        found = select(claim.c.partner, claim.c.uuid).where(claim.c.expires <= bindparam("now"))
        return self._text(found.distinct().limit(bindparam("most")))

    @cached_property
    def records_claiming(self) -> str:
        """:paths → partner, uuid."""
        return self._text(select(claim.c.partner, claim.c.uuid).where(_in(claim.c.opportunity, "paths")).distinct())

    @cached_property
    def paths_of_sources(self) -> str:
        """:sources → path."""
        return self._text(select(opportunity.c.path).where(_in(opportunity.c.source, "sources")))

    @cached_property
    def paths_of_children(self) -> str:
        """:parents → path."""
        return self._text(select(opportunity.c.path).where(_in(opportunity.c.parent, "parents")))

    @cached_property
    def opportunities(self) -> str:
        """:paths → path, booked, document, in key order."""
        found = select(opportunity.c.path, opportunity.c.booked, opportunity.c.document)
        return self._text(found.where(_in(opportunity.c.path, "paths")).order_by(opportunity.c.path))

    @cached_property
    def sold(self) -> str:
        """:paths → path, places sold there, counted from the claims: for what was withdrawn and has no count."""
        found = select(claim.c.opportunity, func.sum(claim.c.places)).where(
            _in(claim.c.opportunity, "paths"), claim.c.expires.is_(None)
        )
        return self._text(found.group_by(claim.c.opportunity))

    @cached_property
    def leased(self) -> str:
        """:paths :now → path, places held by leases that have not ended."""
        found = select(claim.c.opportunity, func.sum(claim.c.places)).where(
            _in(claim.c.opportunity, "paths"), claim.c.expires > bindparam("now")
        )
        return self._text(found.group_by(claim.c.opportunity))

    @cached_property
    def sellers(self) -> str:
        """:keys → document."""
        return self._text(select(seller.c.document).where(_in(seller.c.key, "keys")))

    @cached_property
    def all_sellers(self) -> str:
        """→ document."""
        return self._text(select(seller.c.document).order_by(seller.c.key))

    @cached_property
    def all_partners(self) -> str:
        """→ document."""
        return self._text(select(partner.c.document).order_by(partner.c.key))

    @cached_property
    def partner_by_key_digest(self) -> str:
        """:key_digest → document."""
        return self._text(select(partner.c.document).where(_is(partner.c.key_digest)))

    @cached_property
    def feed_items(self) -> str:
        """:feed :partner :after :most → id, kind, modified, data."""
        found = select(feed_item.c.id, feed_item.c.kind, feed_item.c.modified, feed_item.c.data).where(
            _is(feed_item.c.feed), _is(feed_item.c.partner), feed_item.c.modified > bindparam("after")
        )
        return self._text(found.order_by(feed_item.c.modified).limit(bindparam("most")))

    @cached_property
    def save_record(self) -> str:
        """Insert or replace by (partner, uuid)."""
        return self._upsert(record)

    @cached_property
    def remove_record(self) -> str:
        """:partner :uuid."""
        return self._text(delete(record).where(_is(record.c.partner), _is(record.c.uuid)))

    @cached_property
    def save_personal_data(self) -> str:
        """Insert or replace by (partner, uuid)."""
        return self._upsert(personal_data)

    @cached_property
    def erase_personal_data(self) -> str:
        """:partner :uuid."""
        return self._text(delete(personal_data).where(_is(personal_data.c.partner), _is(personal_data.c.uuid)))

    @cached_property
    def release_claims(self) -> str:
        """:partner :uuid."""
        return self._text(delete(claim).where(_is(claim.c.partner), _is(claim.c.uuid)))

    @cached_property
    def save_claim(self) -> str:
        """Insert or replace by (opportunity, partner, uuid)."""
        return self._upsert(claim)

    @cached_property
    def save_opportunity(self) -> str:
        """Insert or replace by path; what is booked stays."""
        return self._upsert(opportunity, keep=("booked",))

    @cached_property
    def remove_opportunity(self) -> str:
        """:path."""
        return self._text(delete(opportunity).where(_is(opportunity.c.path)))

    @cached_property
    def set_booked(self) -> str:
        """:path_ :booked."""
        changed = update(opportunity).where(opportunity.c.path == bindparam("path_"))
        return self._text(changed.values(booked=bindparam("booked")))

    @cached_property
    def save_seller(self) -> str:
        """Insert or replace by key."""
        return self._upsert(seller)

    @cached_property
    def save_partner(self) -> str:
        """Insert or replace by key."""
        return self._upsert(partner)

    @cached_property
    def publish(self) -> str:
        """Insert or replace a feed item, unless it says what it said before."""
        new = sqlite.insert(feed_item)
        values = {name: new.excluded[name] for name in ("kind", "modified", "data", "changed_at")}
        differs = feed_item.c.data.is_distinct_from(new.excluded.data)
        return self._text(
            new.on_conflict_do_update(index_elements=feed_item.primary_key.columns, set_=values, where=differs)
        )

    @cached_property
    def last_modified(self) -> str:
        """→ the last change number given out."""
        return self._text(select(counter.c.value).where(counter.c.name == "modified"))

    @cached_property
    def set_last_modified(self) -> str:
        """:value_."""
        return self._text(update(counter).where(counter.c.name == "modified").values(value=bindparam("value_")))

    @cached_property
    def forget_deleted(self) -> str:
        """:before."""
        return self._text(
            delete(feed_item).where(feed_item.c.data.is_(None), feed_item.c.changed_at < bindparam("before"))
        )

    def _upsert(self, table: Table, keep: tuple[str, ...] = ()) -> str:
        new = sqlite.insert(table)
        keys = {column.name for column in table.primary_key.columns}
        values = {c.name: new.excluded[c.name] for c in table.columns if c.name not in keys and c.name not in keep}
        return self._text(new.on_conflict_do_update(index_elements=table.primary_key.columns, set_=values))


def _is(column: Column[Any]) -> ColumnElement[bool]:
    return column == bindparam(column.name)


def _in(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    values = func.json_each(bindparam(name)).table_valued("value")
    return column.in_(select(values.c.value))
