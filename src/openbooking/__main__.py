"""`python -m openbooking`: the `openbooking` command."""

from openbooking.cli import app

app(prog_name="openbooking")
