"""`openbooking openapi`: the OpenAPI document, the JSON Schemas of the messages, and requests for Bruno."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from openbooking.cli.output import show, show_json
from openbooking.settings import load_settings
from openbooking.user_error import UserError


def openapi(
    schemas: Annotated[
        Path | None, typer.Option(help="A folder into which to write the JSON Schema of each message instead.")
    ] = None,
    bruno: Annotated[
        Path | None, typer.Option(help="A folder into which to write requests for the API client Bruno instead.")
    ] = None,
) -> None:
    """Show the OpenAPI document of this system, which the server has at /openapi.json. No database is needed."""
    from openbooking.web.app import describe_api  # noqa: PLC0415 - slow to load
    from openbooking.web.openapi.bruno import make_collection  # noqa: PLC0415 - slow to load
    from openbooking.web.openapi.schemas import make_schema_files  # noqa: PLC0415 - slow to load

    document = asyncio.run(describe_api(load_settings()))
    files = (make_schema_files(document) if schemas else {}), (make_collection(document) if bruno else {})
    for folder, written in zip((schemas, bruno), files, strict=True):
        if folder:
            _write(folder, written)
            show(f"Wrote {len(written)} files to {folder}.")
    if not (schemas or bruno):
        show_json(msgspec.json.encode(document).decode())


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as fault:
        raise UserError(f"The folder {folder} cannot be written: {fault.strerror}.") from fault
