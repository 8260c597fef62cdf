"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Database = Annotated[Path | None, typer.Option(help="The SQLite file.", show_default="OPENBOOKING_DATABASE")]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="OPENBOOKING_HOST")]
Port = Annotated[
    int | None,
    typer.Option(help="The port to listen on; 0 for any that is free.", show_default="OPENBOOKING_PORT"),
]
