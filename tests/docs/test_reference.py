"""The reference pages name everything that the code has, and their generated parts are up to date."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import openbooking
import openbooking.broker
import openbooking.testing
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.remedies import REMEDIES
from openbooking.settings import Settings
from openbooking.web.api import metrics
from reference import GENERATED, REFERENCE, generated_parts, update
from support.reference import errors, events
from support.reference.commands import command_names, help_of
from support.reference.events import logged_events
from support.reference.tables import UndocumentedError

SOURCE = Path(openbooking.__file__).parent
PAGES = sorted(REFERENCE.glob("*.md"))
# Prometheus stores counters with another name.
COUNTERS = {"openbooking_errors", "openbooking_capacity_conflicts", "openbooking_holds_refused"}


def rows(text: str) -> set[str]:
    """Return the names in the first column of the tables of a page."""
    return set(re.findall(r"^\| `([\w.]+)`", text, re.MULTILINE))


def headings(text: str) -> set[str]:
    """Return the headings of a page."""
    return set(re.findall(r"^##+ (.+)$", text, re.MULTILINE))


def text_of(page: str) -> str:
    return (REFERENCE / page).read_text(encoding="utf-8")


def names_of_settings() -> set[str]:
    return {f"OPENBOOKING_{name.upper()}" for name in Settings.__struct_fields__}


def names_of_errors() -> set[str]:
    def below(base: type[OpenBookingError]) -> Iterator[str]:
        for error in base.__subclasses__():
            if error.__module__ == base.__module__:
                yield error.__name__
                yield from below(error)

    return {OpenBookingError.__name__, *below(OpenBookingError), *ItemErrorType}


def names_in_source(pattern: str, folder: str = ".") -> set[str]:
    """Return what a pattern finds in the code."""
    texts = (file.read_text(encoding="utf-8") for file in (SOURCE / folder).rglob("*.py"))
    return {name for text in texts for name in re.findall(pattern, text)}


def names_of_events() -> set[str]:
    return names_in_source(r"log(?:ger\(\))?\.(?:debug|info|warning|error|exception|critical)\(\s*\"([\w.]+)\"")


def names_of_metrics() -> set[str]:
    named = names_in_source(r'"(openbooking_\w+)"', "web/api") | {
        f"openbooking_import_{name}" for name, *_ in vars(metrics)["_IMPORTS"]
    }
    return {f"{name}_total" if name in COUNTERS else name for name in named}


def public_names(package: ModuleType) -> Callable[[], set[str]]:
    return lambda: {name for name in vars(package)["__all__"] if callable(getattr(package, name))}


CASES: dict[str, tuple[Callable[[], set[str]], Callable[[str], set[str]]]] = {
    "settings.md": (names_of_settings, rows),
    "errors.md": (names_of_errors, lambda text: rows(text) | headings(text)),
    "events.md": (names_of_events, rows),
    "metrics.md": (names_of_metrics, rows),
    "command-help.md": (lambda: {" ".join(("openbooking", *words)) for words in command_names()}, headings),
    "api-openbooking.md": (public_names(openbooking), headings),
    "api-broker.md": (public_names(openbooking.broker), headings),
    "api-testing.md": (public_names(openbooking.testing), headings),
}


@pytest.mark.parametrize("page", CASES)
def test_page_names_everything_that_the_code_has(page: str) -> None:
    in_code, on_page = CASES[page]
    assert len(in_code()) >= 5
    assert in_code() - on_page(text_of(page)) == set()


@pytest.mark.parametrize("page", CASES)
def test_a_name_that_is_missing_on_a_page_is_noticed(page: str) -> None:
    in_code, on_page = CASES[page]
    name = max(in_code(), key=len)
    lines = text_of(page).splitlines(keepends=True)
    without = "".join(line for line in lines if f"`{name}`" not in line and line.strip("# \n") != name)
    assert in_code() - on_page(without) == {name}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    updated = update(text)
    differing = [name for name, part in generated_parts(text).items() if generated_parts(updated)[name] != part]
    assert differing == [], "run make reference"


def test_each_generated_part_is_on_one_page() -> None:
    named = [name for page in PAGES for name in generated_parts(page.read_text(encoding="utf-8"))]
    assert sorted(named) == sorted(GENERATED)


def test_help_texts_do_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 60)
    monkeypatch.setattr("typer.rich_utils.FORCE_TERMINAL", True)
    monkeypatch.setenv("COLUMNS", "70")
    assert help_of(("order", "cancel")) in text_of("command-help.md")


def test_messages_are_examples_of_every_kind() -> None:
    found = set(re.findall(r'^  "@type": "(\w+)"', text_of("messages.md"), re.MULTILINE))
    assert {"Dataset", "OrderQuote", "Order", "OrderProposal", "TotalPaymentDueMismatchError"} <= found
    requests = set(re.findall(r"^(\w+ /(?:api/)?[\w-]+)", text_of("messages.md"), re.MULTILINE))
    assert requests == {
        "GET /feeds",
        "GET /api/orders",
        "GET /api/orders-rpde",
        "GET /api/order-proposals-rpde",
        "PUT /api/order-quote-templates",
        "PUT /api/order-quotes",
        "PUT /api/orders",
        "PUT /api/order-proposals",
        "PATCH /api/orders",
        "PATCH /api/order-proposals",
        "DELETE /api/order-quotes",
        "DELETE /api/orders",
    }


def test_an_error_class_without_a_remedy_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    remedies = {name: remedy for name, remedy in REMEDIES.items() if name != "GoneError"}
    monkeypatch.setattr(errors, "REMEDIES", remedies)
    with pytest.raises(UndocumentedError, match="GoneError has no remedy"):
        errors.unused_errors()


def test_an_event_without_a_meaning_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs.py").write_text('_log.info("a.new")\n_log.info("a.known")\n', encoding="utf-8")
    (tmp_path / "events.toml").write_text('"a.known" = "Known."\n"a.gone" = "Gone."\n', encoding="utf-8")
    monkeypatch.setattr(events, "SOURCE", tmp_path)
    monkeypatch.setattr(events, "MEANINGS", tmp_path / "events.toml")
    with pytest.raises(UndocumentedError, match=r"these events: a\.gone, a\.new"):
        events.events_table()


def test_events_are_read_from_calls_of_loggers(tmp_path: Path) -> None:
    code = (
        'def f(log):\n    log.error("a.b", x=1, exc_info=True)\n    math.log.error("c")\n    _log.info("d", **more)\n'
    )
    (tmp_path / "logs.py").write_text(code, encoding="utf-8")
    assert list(logged_events(tmp_path)) == [("a.b", "error", ("x",)), ("d", "info", ("…",))]


def test_an_event_with_a_computed_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs.py").write_text("_log.info(name)\n", encoding="utf-8")
    with pytest.raises(UndocumentedError, match="must be a literal"):
        list(logged_events(tmp_path))


def test_loggers_have_the_names_by_which_events_are_found() -> None:
    assert names_in_source(r"(\w+) = structlog\.get_logger\(") == {"log", "_log"}
