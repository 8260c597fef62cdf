"""`openbooking serve`: serve the Booking System over HTTP, in one process or several (`openbooking.serving`)."""

from openbooking.cli.options import Database, Host, Port, Workers
from openbooking.settings import load_settings


def serve(host: Host = None, port: Port = None, database: Database = None, workers: Workers = None) -> None:
    """Run the Booking System until SIGINT or SIGTERM."""
    settings = load_settings(host=host, port=port, database=database, workers=workers)
    from openbooking.serving.processes import serve_forever  # noqa: PLC0415 - slow to load

    serve_forever(settings)
