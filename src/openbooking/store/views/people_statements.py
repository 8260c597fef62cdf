"""The statements that find Orders and OrderProposals by the people in them."""

from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, bindparam, select, tuple_

from openbooking.booking.rules.orders.search_terms import SearchTerms
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import personal_data, record
from openbooking.store.statements import first, same_record


class NamedOrder(NamedTuple):
    """A row of the statements that `PeopleStatements.records_by_term` returns. Proposals have no status and value."""

    term: str
    partner: str
    uuid: str
    kind: str
    listed_at: int
    status: str
    value: int


class TermsOf(NamedTuple):
    """A row of `PeopleStatements.terms_of_records`: the terms of one person in a record."""

    partner: str
    uuid: str
    family_name: str | None
    given_name: str | None
    email: str | None
    telephone: str | None


class PeopleStatements:
    """The statements; each docstring lists the parameters and, after the arrow, the type of the rows."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._by_term: dict[str, Statement] = {}

    def records_by_term(self, term: str) -> Statement:
        """:seller :after_term :up_to :after_partner :after_uuid :most → NamedOrder.

        Orders and proposals have a row for each person in them.

        Args:
            term: The name of the search term in whose order the rows are.
        """
        if term not in self._by_term:
            person = personal_data.c
            place: tuple[ColumnElement[Any], ...] = (person[term], person.partner, person.uuid)
            after = (bindparam(name, type_=String) for name in ("after_term", "after_partner", "after_uuid"))
            found = select(person[term].label("term"), person.partner, person.uuid).where(
                person.seller == bindparam("seller"),
                person[term] <= bindparam("up_to", type_=String),
                tuple_(*place) > tuple_(*after),
            )
            some = first(found.order_by(*place)).subquery("some")
            columns = (*some.c, record.c.kind, record.c.listed_at, record.c.status, record.c.value)
            with_records = select(*columns).select_from(some.join(record, same_record(some, record)))
            self._by_term[term] = self._dialect.compile(with_records)
        return self._by_term[term]

    @cached_property
    def terms_of_records(self) -> Statement:
        """:keys → TermsOf of the people in these records."""
        keys = self._dialect.keys()
        terms = (personal_data.c[name] for name in SearchTerms._fields)
        found = select(personal_data.c.partner, personal_data.c.uuid, *terms)
        return self._dialect.compile(found.select_from(keys.join(personal_data, same_record(keys, personal_data))))
