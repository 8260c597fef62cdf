"""Options that several commands share."""

from typing import Annotated

import typer

Database = Annotated[
    str | None,
    typer.Option(help="The SQLite file, or the postgresql:// URL.", show_default="OPENBOOKING_DATABASE"),
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="OPENBOOKING_HOST")]
Port = Annotated[
    int | None,
    typer.Option(help="The port to listen on; 0 for any that is free.", show_default="OPENBOOKING_PORT"),
]
Workers = Annotated[
    int | None, typer.Option(help="The number of serving processes.", show_default="OPENBOOKING_WORKERS or 1")
]
