"""The preview of a command, which decides the command without making its changes."""

from typing import Generic

import msgspec
from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Command, Decision, Refusal, Reply_co
from openbooking.booking.model.situation import Change, Needs, RecordSet, Situation, evolve


class Previewed(msgspec.Struct, Generic[Reply_co], frozen=True):
    """The reply that the command would get, and the changes that it would make."""

    reply: Reply_co
    changes: tuple[Change, ...]


class Preview(ActorCommand, Generic[Reply_co], frozen=True, kw_only=True):
    """Decide a command, and return the changes that it would make.

    Attributes:
        command: The command.
        given: Changes that are applied to the loaded situation before the command is decided.
    """

    command: Command[Reply_co]
    given: tuple[Change, ...] = ()

    def needs(self) -> Needs:
        """Return the needs of the command, without locks."""
        return replace(self.command.needs(), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Previewed[Reply_co]]:
        """Return the reply and the changes of the command, or raise its error."""
        for change in self.given:
            # A record that was not loaded is already counted in the loaded `spaces`.
            if isinstance(change, RecordSet) and change.key not in situation.records:
                continue
            situation = evolve(situation, change)
        decision = self.command.decide(situation)
        if isinstance(decision, Refusal):
            raise decision.reply
        return Decision(reply=Previewed(decision.reply, decision.changes))
