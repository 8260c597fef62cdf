"""Forms of rules: their fields and repeated rows, how a rule fills them in, and how a rule is read from them.

The name of a field is the path of the value in the rule, such as `prices.0.amount`. So a fault of a rule
(`openbooking.timetable.check`) has the name of its field.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from openbooking.booking.model.timetable import Concept
from openbooking.timetable.checking.faults import Fault
from openbooking.timetable.concepts import Vocabulary, find
from openbooking.web.console.timetable.kinds import TEXT, Input, Kind
from openbooking.web.pages import Form, Problem

# How many empty rows `Add rows` brings.
MORE_ROWS = 4
SEARCH, FOUND = "search", "found"
_WEEK = range(7)
_ROW_NUMBER = re.compile(r"[0-9]{1,4}")
# The values of these controls are there in a row that nobody has filled in.
_PRESET = (Input.CHOICE, Input.HIDDEN)


class Field(NamedTuple):
    """A field of a form.

    Attributes:
        name: The name of the attribute.
        label: The label.
        kind: The kind of its values.
        hint: What else people should know.
        required: Whether the rule cannot be made without a value.
        optional: Whether people can leave it empty, which its label says.
        blank: The value if nothing is typed.
        fresh: The text in a new form or row.
        choices: The labels of the values of a choice; the timetable may add others.
        vocabulary: The vocabulary of concepts.
        folded: Whether the field is shown only if people ask for more.
    """

    name: str
    label: str
    kind: Kind = TEXT
    hint: str = ""
    required: bool = False
    optional: bool = False
    blank: Any = ""
    fresh: str = ""
    choices: Mapping[str, str] = {}
    vocabulary: Vocabulary = Vocabulary.ACTIVITIES
    folded: bool = False


class Part(NamedTuple):
    """A form, or a repeated row of a form.

    Attributes:
        make: Makes the value from the values of the fields.
        fields: The fields.
        groups: The repeated rows.
    """

    make: Callable[..., Any]
    fields: tuple[Field, ...]
    groups: tuple["Group", ...] = ()

    def field(self, name: str) -> Field | None:
        """Return the field with a name."""
        return next((field for field in self.fields if field.name == name), None)


class Group(NamedTuple):
    """Repeated rows of a form.

    Attributes:
        name: The name of the attribute, which is a tuple.
        label: The heading of all rows.
        one: The heading of one row, before its number.
        part: The fields of a row.
        hint: What else people should know.
        spare: How many empty rows are shown.
        folded: Whether the rows are shown only if people ask for more, unless some are filled in.
    """

    name: str
    label: str
    one: str
    part: Part
    hint: str = ""
    spare: int = 1
    folded: bool = False


def fill(part: Part, value: Any, prefix: str = "") -> Form:
    """Return the fields of a form that stand for a value."""
    form: Form = {}
    for field in part.fields:
        form |= _filled(field, getattr(value, field.name), prefix + field.name)
    for group in part.groups:
        for number, row in enumerate(getattr(value, group.name)):
            form |= fill(group.part, row, f"{prefix}{group.name}.{number}.")
    return form


def fresh(part: Part, given: Mapping[str, str]) -> Form:
    """Return the fields of a new form.

    Args:
        part: The form.
        given: The texts of some fields.
    """
    return {field.name: given.get(field.name, field.fresh) for field in part.fields} | dict(given)


def tidied(part: Part, form: Form, prefix: str = "") -> Form:
    """Return the fields of a form without empty rows, and with rows that are numbered from 0."""
    found: Form = {}
    for field in part.fields:
        names = (name for name in form if name == field.name or name.startswith(f"{field.name}."))
        found |= {prefix + name: form[name] for name in names}
    for group in part.groups:
        for number, row in enumerate(_rows(group, form)):
            found |= tidied(group.part, row, f"{prefix}{group.name}.{number}.")
    return found


def read(part: Part, form: Form, base: Any = None) -> tuple[Any, list[Fault]]:
    """Return the value for which a tidied form stands, and the faults of its fields.

    A value with faults has stand-ins for texts without a value. It only serves to check the other fields.

    Args:
        part: The form.
        form: The fields.
        base: The value that the form has changed; None for a new one. What the form does not show stays.
    """
    faults: list[Fault] = []
    values = _values(part, form, faults)
    names = {*(field.name for field in part.fields), *(group.name for group in part.groups)}
    kept = {} if base is None else {name: getattr(base, name) for name in base.__struct_fields__ if name not in names}
    return part.make(**kept, **values), faults


def _values(part: Part, form: Form, faults: list[Fault], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in part.fields:
        try:
            values[field.name] = _value(field, form)
        except ValueError:
            faults.append(Fault(prefix + field.name, field.kind.wrong))
            values[field.name] = field.kind.stand_in if field.required else field.blank
    for group in part.groups:
        rows = enumerate(_rows(group, form))
        read_rows = [(_values(group.part, row, faults, f"{prefix}{group.name}.{number}.")) for number, row in rows]
        values[group.name] = tuple(group.part.make(**row) for row in read_rows)
    return values


def _value(field: Field, form: Form) -> Any:
    if field.kind.input is Input.DAYS:
        return tuple(day for day in _WEEK if form.get(f"{field.name}.{day}"))
    if field.kind.input is Input.CONCEPTS:
        return concepts_in(field, form)
    text = form.get(field.name, "").strip()
    if not text and not field.required:
        return field.blank
    return field.kind.parse(text)


def concepts_in(field: Field, form: Form) -> tuple[Concept, ...]:
    """Return the concepts that a form has ticked, and the one that was chosen among those found, each once."""
    names = [name for name in form if name.startswith(f"{field.name}.") and not name.endswith(f".{SEARCH}")]
    ids = dict.fromkeys(form[name] for name in names)
    return tuple(found for id_ in ids if (found := find(field.vocabulary, id_)))


def _filled(field: Field, value: Any, name: str) -> Form:
    if field.kind.input is Input.DAYS:
        return {f"{name}.{day}": "yes" for day in value}
    if field.kind.input is Input.CONCEPTS:
        return {f"{name}.{number}": concept.id for number, concept in enumerate(value)}
    return {name: "" if value is None else field.kind.format(value)}


def _rows(group: Group, form: Form) -> list[Form]:
    """Return the fields of each row that is not empty."""
    found: dict[int, Form] = {}
    for name, text in form.items():
        first, _, rest = name.partition(".")
        number, _, inner = rest.partition(".")
        if first == group.name and inner and _ROW_NUMBER.fullmatch(number):
            found.setdefault(int(number), {})[inner] = text
    return [row for _, row in sorted(found.items()) if not _is_empty(group.part, row)]


def _is_empty(part: Part, row: Form) -> bool:
    preset = {field.name for field in part.fields if field.kind.input in _PRESET}
    inner = {f"{group.name}." for group in part.groups}
    own = (text for name, text in row.items() if name not in preset and not name.startswith(tuple(inner)))
    return not any(text.strip() for text in own) and not any(_rows(group, row) for group in part.groups)


class ShownField(NamedTuple):
    """A field as a page shows it.

    Attributes:
        field: The field.
        name: The name in the form.
        value: The text, the numbers of the chosen days, or the chosen concepts.
        choices: The labels of the values of a choice.
        searched: The text of a search for concepts.
        found: The concepts found.
        error: What is wrong; empty if nothing is.
        optional: Whether people can leave it empty.
    """

    field: Field
    name: str
    value: Any
    choices: Mapping[str, str]
    searched: str
    found: Sequence[Concept]
    error: str
    optional: bool


class ShownGroup(NamedTuple):
    """The rows of a group as a page shows them."""

    group: Group
    name: str
    rows: tuple["ShownPart", ...]
    error: str
    is_open: bool


class ShownPart(NamedTuple):
    """A form, or a row of it, as a page shows it."""

    fields: tuple[ShownField, ...]
    groups: tuple[ShownGroup, ...]

    def labels(self) -> Iterator[tuple[str, str]]:
        """Yield the names and labels of all fields that people see, and of all groups."""
        yield from ((shown.name, shown.field.label) for shown in self.fields if shown.field.kind.input != Input.HIDDEN)
        for group in self.groups:
            yield group.name, group.group.label
            for number, row in enumerate(group.rows, 1):
                yield from ((name, f"{group.group.one} {number}: {label}") for name, label in row.labels())


class Shown(NamedTuple):
    """The circumstances in which a form is shown.

    Attributes:
        errors: What is wrong, by the names of fields.
        choices: The labels of the values of choices, by the names of the attributes.
        fresh: The texts of fields in empty rows, by the names of the attributes.
        more: The name of the group to which rows are added; empty for none.
        found: The concepts that a search has found.
        needed: The names of the attributes without which this Seller cannot save the form.
    """

    errors: Mapping[str, str] = {}
    choices: Mapping[str, Mapping[str, str]] = {}
    fresh: Mapping[str, str] = {}
    more: str = ""
    found: Sequence[Concept] = ()
    needed: frozenset[str] = frozenset()


def show(part: Part, form: Form, shown: Shown, prefix: str = "") -> ShownPart:
    """Return a tidied form as a page shows it, with empty rows."""
    return ShownPart(
        tuple(_show_field(field, form, shown, prefix + field.name) for field in part.fields),
        tuple(_show_group(group, form, shown, prefix + group.name) for group in part.groups),
    )


def _show_field(field: Field, form: Form, shown: Shown, name: str) -> ShownField:
    value: Any = form.get(field.name, "")
    if field.kind.input is Input.DAYS:
        value = [day for day in _WEEK if form.get(f"{field.name}.{day}")]
    elif field.kind.input is Input.CONCEPTS:
        value = concepts_in(field, form)
    choices = {**field.choices, **shown.choices.get(field.name, {})}
    searched = form.get(f"{field.name}.{SEARCH}", "")
    optional = field.optional and field.name not in shown.needed
    return ShownField(field, name, value, choices, searched, shown.found, shown.errors.get(name, ""), optional)


def _show_group(group: Group, form: Form, shown: Shown, name: str) -> ShownGroup:
    rows = _rows(group, form)
    spare = MORE_ROWS if shown.more == name else group.spare
    empty = {field.name: shown.fresh.get(field.name, field.fresh) for field in group.part.fields}
    all_ = [*rows, *[empty] * spare]
    parts = tuple(show(group.part, row, shown, f"{name}.{number}.") for number, row in enumerate(all_))
    return ShownGroup(group, name, parts, shown.errors.get(name, ""), bool(rows) or shown.more == name)


def errors_at(faults: Sequence[Fault], shown: ShownPart) -> dict[str, str]:
    """Return what is wrong by the names of fields; a fault of a part of a field is at the field."""
    names = dict(shown.labels())
    errors: dict[str, str] = {}
    for fault in faults:
        name = fault.field
        while name and name not in names:
            name = name.rpartition(".")[0]
        errors.setdefault(name, fault.text)
    return errors


def problem_of(errors: Mapping[str, str], shown: ShownPart) -> Problem | None:
    """Return the problem that lists all that is wrong in the order of the form; None if nothing is."""
    at_fields = ((name, f"{label}: {errors[name]}") for name, label in shown.labels() if name in errors)
    problems = [*([Problem(errors[""])] if "" in errors else []), *(Problem(text, (name,)) for name, text in at_fields)]
    return problems[0]._replace(others=tuple(problems[1:])) if problems else None
