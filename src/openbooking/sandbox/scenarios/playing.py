"""What a scenario does while the Broker runs (`ScenarioReaction`)."""

from collections import Counter

from openbooking.sandbox.control.doing import NO_SUBJECT, Subject
from openbooking.sandbox.control.instance import Instance, Reaction
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.scenarios.scenario import Rule, Scenario


class ScenarioReaction(Reaction):
    """Applies the rules of a scenario. A rule is applied before the answer to its request is sent."""

    def __init__(self, instance: Instance, scenario: Scenario) -> None:
        self._instance = instance
        self._scenario = scenario
        self._counts: Counter[Operation] = Counter()

    async def start(self) -> None:
        """Reset the sandbox, and apply the rules of the start."""
        await self._instance.reset()
        self._instance.reaction = self
        for rule in self._scenario.rules:
            if rule.after is None:
                await self._apply(rule, NO_SUBJECT)

    async def react(self, exchange: Exchange) -> None:
        """Apply the rules of a request."""
        if not exchange.succeeded:
            return
        self._counts[exchange.operation] += 1
        for rule in self._scenario.rules:
            if rule.after is exchange.operation and rule.count == self._counts[exchange.operation]:
                await self._apply(rule, self._instance.subject_of(exchange, self._instance.subject()))

    async def _apply(self, rule: Rule, subject: Subject) -> None:
        if rule.turn_clock:
            await self._instance.turn_clock(rule.turn_clock.by)
        if rule.action:
            await self._instance.act(rule.action, subject)
        if rule.fault:
            self._instance.watch.plans.add(rule.fault)
