"""The run of scenarios with the command of a Broker (`run_scenarios`)."""

import os
import subprocess
from collections.abc import Callable, Sequence

from openbooking.sandbox.advice.advise import advise
from openbooking.sandbox.control.instance import Instance
from openbooking.sandbox.control.reports import orders_of
from openbooking.sandbox.scenarios.expectations import Outcome, unmet
from openbooking.sandbox.scenarios.playing import ScenarioReaction
from openbooking.sandbox.scenarios.scenario import Scenario
from openbooking.settings.loading import SANDBOX_VARIABLES
from openbooking.user_error import UserError

_URL_VARIABLE, _KEY_VARIABLE = SANDBOX_VARIABLES

Show = Callable[[str], None]


class CommandError(UserError):
    """The command of the Broker cannot be started."""


def run_scenarios(instance: Instance, scenarios: Sequence[Scenario], command: Sequence[str], show: Show) -> bool:
    """Run the command of a Broker once for each scenario, from the start state; return whether all was as expected.

    Args:
        instance: The open sandbox, whose server runs in another thread.
        scenarios: The scenarios.
        command: The command with its arguments. Two environment variables give it the site and the API key.
        show: Called with each line of the report.

    Raises:
        CommandError: The command cannot be started.
    """
    passed = [_run(instance, scenario, command, show) for scenario in scenarios]
    show(f"{sum(passed)} of {len(passed)} scenarios passed")
    return all(passed)


def _run(instance: Instance, scenario: Scenario, command: Sequence[str], show: Show) -> bool:
    instance.call(ScenarioReaction(instance, scenario).start())
    environment = {**os.environ, _URL_VARIABLE: instance.settings.site, _KEY_VARIABLE: instance.api_key}
    try:
        status = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - the user's own command
    except OSError as fault:
        raise CommandError(f"{command[0]} cannot be started: {fault.strerror}.") from fault
    found = [f"the command ended with status {status}"] if status else []
    found += unmet(scenario.expect, instance.call(_outcome(instance)))
    show(f"{'FAILED' if found else 'passed'}: {scenario.name}")
    for text in found:
        show(f"  {text}")
    return not found


async def _outcome(instance: Instance) -> Outcome:
    exchanges = instance.watch.record.all()
    return Outcome(
        exchanges=exchanges,
        orders=await orders_of(instance.system),
        remarks=advise(exchanges),
        doings=instance.doings(),
    )
