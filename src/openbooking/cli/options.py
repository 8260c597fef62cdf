"""The options --database, --host, --port and --workers, which several commands have."""

from typing import Annotated

import typer

Database = Annotated[
    str | None,
    typer.Option(help="The SQLite file, or the postgresql:// URL.", show_default="OPENBOOKING_DATABASE"),
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="OPENBOOKING_HOST")]
Port = Annotated[
    int | None,
    typer.Option(help="The port to listen on; 0 for any free port.", show_default="OPENBOOKING_PORT"),
]
Workers = Annotated[
    int | None, typer.Option(help="The number of serving processes.", show_default="OPENBOOKING_WORKERS or 1")
]
