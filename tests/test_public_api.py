"""The public API: each name is documented and loaded when it is first used, and signatures do not change."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

import openbooking
from support.pages.blocks import pages, read_blocks
from support.parties import CENTRE

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "public-api.md"
# Type checkers do not see this list, because it is computed.
PUBLIC_NAMES: list[str] = vars(openbooking)["__all__"]
SERVER_LIBRARIES = {"starlette", "sqlalchemy", "uvicorn", "jinja2", "alembic", "asyncpg"}


def documented() -> list[str]:
    """Return the names in the first column of the page's tables."""
    return re.findall(r"^\| `(\w+)` \| .*\S.* \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def imported_for_type_checkers() -> dict[str, str | None]:
    """Return the module of each name that the package imports under TYPE_CHECKING."""
    tree = ast.parse(Path(openbooking.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_the_page_documents_each_public_name() -> None:
    assert sorted(documented()) == sorted(PUBLIC_NAMES)


def test_type_checkers_and_python_find_each_name_in_the_same_module() -> None:
    assert imported_for_type_checkers() == vars(openbooking)["_MODULE_BY_NAME"]
    assert ["__version__", *sorted(imported_for_type_checkers())] == PUBLIC_NAMES


@pytest.mark.parametrize("name", PUBLIC_NAMES[1:])
def test_a_public_name_is_the_name_of_its_value(name: str) -> None:
    value = getattr(openbooking, name)
    assert name in dir(openbooking)
    assert value.__name__ == name
    assert inspect.getdoc(value)


def test_an_unknown_name_raises_attribute_error() -> None:
    name = "create_application"
    with pytest.raises(AttributeError, match=name):
        getattr(openbooking, name)


@pytest.mark.parametrize("module", ["openbooking", "openbooking.harvest.client"])
def test_an_import_loads_no_server(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ended.stdout.split())
    assert "openbooking" in loaded
    assert loaded & SERVER_LIBRARIES == set()


SIGNATURES: dict[str, str] = {
    "create_app": "(settings, clock=None, store=None, identity=None, *, on_committed=None)",
    "Application.open": "(self)",
    "Application.close": "(self)",
    "load_settings": "(environment=None, **overrides)",
    "open_system": "(settings, clock=None, store=None, identity=None, *, on_committed=None, serves=True)",
    "make_feed_writer": "(settings)",
    "MemoryStore": "(*, policy, writer, clock)",
    "Store.execute": "(self, command)",
    "Store.feed_items": "(self, feed, after, limit, most_bytes=2097152)",
    "Store.change_numbers": "(self, feed, ids)",
    "Store.sellers": "(self)",
    "Store.paths_of_seller": "(self, seller, after, limit)",
    "Store.order_counts": "(self)",
    "Store.forget_deleted": "(self, before)",
    "Store.note_time": "(self, at)",
    "Store.noted_time": "(self)",
    "Store.check": "(self)",
    "Store.figures": "(self, read)",
    "Store.close": "(self)",
    "FeedWriter.opportunity": "(self, opportunity, spaces, parents, seller)",
    "FeedWriter.opportunity_id": "(self, path)",
    "FeedWriter.order": "(self, record)",
    "FeedWriter.proposal": "(self, record)",
    "Command.needs": "(self)",
    "Command.decide": "(self, situation)",
    "fold": "(situation, commands)",
    "join_needs": "(needs)",
    "changes_between": "(before, after, writer)",
    "opportunity_path": "(type_, key)",
    "PublishSeller": "(seller, expected=None, *, actor)",
    "Publish": (
        "(opportunities, own_only=False, keep_cancelled_here=False, known_by_feed=frozenset(), without_over=False, *, "
        "actor)"
    ),
    "Quote": "(*, caller, uuid, checkpoint, request, holds=True)",
    "Book": "(*, caller, uuid, request, nonce='')",
    "Cancel": "(*, caller, uuid, numbers)",
    "GetOrder": "(*, caller, uuid)",
    "SellerCancel": "(*, actor, order, numbers=None, message=None)",
}


def signature_of(name: str) -> str:
    """Return the signature without annotations."""
    value: Any = openbooking
    for part in name.split("."):
        value = getattr(value, part)
    signature = inspect.signature(value)
    plain = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty))


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_public_signature_is_unchanged(name: str) -> None:
    assert signature_of(name) == SIGNATURES[name]


def imports_of(code: str) -> set[str]:
    """Return the modules of openbooking that the code imports."""
    nodes = list(ast.walk(ast.parse(code)))
    modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {module for module in modules if module.partition(".")[0] == "openbooking"}


def examples() -> dict[str, str]:
    """Return the Python code in the pages, by the name of the page and the number of the block."""
    return {
        f"{page.name}-{number}": block.text
        for page in pages()
        for number, block in enumerate(block for block in read_blocks(page) if block.language == "python")
        if not block.is_hidden
    }


def test_examples_import_only_the_public_api() -> None:
    imported = {name: imports_of(code) for name, code in examples().items()}
    assert imported["embed.md-0"] == imported["embed.md-1"] == {"openbooking"}
    public = {"openbooking", "openbooking.broker", "openbooking.testing"}
    assert all(modules <= public for modules in imported.values())


async def test_the_examples_of_embedding_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = examples()
    mounted: dict[str, Any] = {}
    exec(code["embed.md-0"], mounted)  # noqa: S102 - the documentation is ours
    changed: dict[str, Any] = {}
    exec(code["embed.md-1"], changed)  # noqa: S102
    app = mounted["app"]
    settings = openbooking.Settings(database="booking.sqlite3", site_url="https://example.com/booking")
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://example.com/booking") as client,
    ):
        await changed["publish"](settings, CENTRE)
        page = await client.get("/openactive")
        assert page.status_code == 200
        assert CENTRE.name in page.text
    async with httpx2.AsyncClient(transport=transport, base_url="https://example.com/booking") as client:
        assert (await client.get("/openactive")).status_code == 503
