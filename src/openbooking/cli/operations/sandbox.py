"""`openbooking sandbox`: the demo with a control page and API, faults and scenarios, for a Broker's developer."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.cli.options import Host, Port
from openbooking.cli.output import show, show_json
from openbooking.settings import AccessMode, Settings, load_settings

if TYPE_CHECKING:
    from openbooking.sandbox.control.instance import Instance
    from openbooking.sandbox.scenarios.scenario import Scenario


def sandbox(
    command: Annotated[
        list[str] | None, typer.Argument(help="The command of the Broker, after --.", show_default="none")
    ] = None,
    host: Host = None,
    port: Port = None,
    scenario: Annotated[
        list[Path] | None, typer.Option(help="A scenario file, with which the command is run.", show_default="none")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses and keys as a line of JSON.")] = False,
) -> None:
    """Run a Booking System to try a Broker against, with faults, a clock to turn, and a Seller to act as."""
    from openbooking.sandbox.control.run import serve_sandbox  # noqa: PLC0415 - slow to load
    from openbooking.sandbox.scenarios.scenario import read_scenario  # noqa: PLC0415 - slow to load

    if bool(command) != bool(scenario):
        raise typer.BadParameter("Scenarios need a command after --, and a command needs --scenario.")
    scenarios = [read_scenario(path) for path in scenario or ()]
    settings = _settings(host, 0 if scenarios and port is None else port)
    if not scenarios:
        serve_sandbox(settings, lambda instance, _: _show_addresses(instance, as_json=as_json))
    elif not _run_scenarios(settings, scenarios, command or []):
        raise typer.Exit(1)


def _settings(host: str | None, port: int | None) -> Settings:
    """Return the settings. Those of another system would not fit the Sellers and Booking Partners of the sandbox."""
    return load_settings(
        host=host, port=port, single_seller="", access=AccessMode.API_KEY, trusted_partner_header="", workers=1
    )


def _run_scenarios(settings: Settings, scenarios: "list[Scenario]", command: list[str]) -> bool:
    """Serve a sandbox while the command runs; return whether all was as expected."""
    from openbooking.sandbox.control.run import serve_sandbox  # noqa: PLC0415 - slow to load
    from openbooking.sandbox.scenarios.run import run_scenarios  # noqa: PLC0415 - slow to load
    from openbooking.serving.server import Stop  # noqa: PLC0415 - slow to load

    results: list[Future[bool]] = []

    def run(instance: "Instance", stop: Stop) -> bool:
        try:
            return run_scenarios(instance, scenarios, command, show)
        finally:
            stop()

    with ThreadPoolExecutor(1, "broker") as broker:
        serve_sandbox(settings, lambda instance, stop: results.append(broker.submit(run, instance, stop)))
    return results[0].result()


def _show_addresses(instance: "Instance", *, as_json: bool) -> None:
    """Print where the sandbox is, and the key of the Broker under test."""
    from openbooking.sandbox.database import PASSWORD  # noqa: PLC0415 - slow to load

    settings = instance.settings
    addresses = {
        "site": settings.site,
        "api": settings.base_uri,
        "key": instance.api_key,
        "control": f"{settings.site}/sandbox",
        "console": settings.site + CONSOLE_PATH,
        "sign_in": f"as sam (manager) or robin (staff), with the password: {PASSWORD}",
        "control_api": f"{settings.site}/sandbox/api",
    }
    if as_json:
        show_json(json.dumps(addresses))
        return
    for name, value in addresses.items():
        show(f"{name}:", value)
