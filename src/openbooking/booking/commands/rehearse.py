"""A command that is decided, but not carried out."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Command, Decision, Rehearsed
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import Change, Needs, RecordSet, Situation, evolve


class Rehearse(ActorCommand, frozen=True, kw_only=True):
    """A command is decided, but its changes are returned instead of made.

    Attributes:
        command: The command.
        given: Changes that count as made before the command is decided.
    """

    command: Command
    given: tuple[Change, ...] = ()

    def needs(self, policy: Policy) -> Needs:
        """What the command needs, without locks."""
        return replace(self.command.needs(policy), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision:
        """The reply has the command's reply and its changes. Raises what the command raises."""
        for change in self.given:
            # The loaded `spaces` already count a record that was not loaded.
            if isinstance(change, RecordSet) and change.key not in situation.records:
                continue
            situation = evolve(situation, change)
        decision = self.command.decide(situation)
        return Decision(reply=Rehearsed(decision.reply, decision.changes))
