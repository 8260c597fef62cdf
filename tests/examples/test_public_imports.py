"""The examples and the sample app import public names only, so that they can be copied."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE_APP = "openbooking.sandbox.broker_app"
FOLDERS = (ROOT / "examples", ROOT / "src" / Path(*SAMPLE_APP.split(".")))
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*.py"))
PUBLIC = {"openbooking", "openbooking.broker", "openbooking.testing"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_example_imports_public_names_only(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name for alias in node.names if alias.name.startswith("openbooking.")}
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "openbooking":
            # examples/broker_app starts the sample app, which is part of the package.
            if (node.module or "").startswith(SAMPLE_APP):
                continue
            assert node.module in PUBLIC
            assert {alias.name for alias in node.names} <= set(import_module(node.module).__all__)
