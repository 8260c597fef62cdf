"""Exit statuses and messages of commands that fail.

An error that the user can correct is printed in one line, without a stack trace.
"""

import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from openbooking.booking.commands.add_seller import SellerExistsError
from openbooking.booking.store import StoreUnavailableError
from openbooking.cli.output import show_aside, show_traceback
from openbooking.identity.oauth.errors import OAuthError
from openbooking.identity.partner_administration import PartnerExistsError
from openbooking.identity.partners.credentials import BothCredentialsInUseError, CredentialKind
from openbooking.openactive.errors import OpenBookingError
from openbooking.serving.logs import configure_logs
from openbooking.settings import SettingsError
from openbooking.user_error import UserError

_MISUSE, _FAILURE = 2, 1


class CommandError(UserError):
    """The command was called with options that contradict each other, or ends with a `status` of its own."""

    def __init__(self, message: str, status: int = _FAILURE) -> None:
        super().__init__(message)
        self.status = status


class OneLineFaults(TyperGroup):
    """The root of the commands: prints known faults in one line on stderr and exits with their status."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Its logs go to stderr, like faults; standard output is for its results."""
        configure_logs(logging.WARNING, for_good=False)
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except Exception as fault:  # noqa: BLE001 - a fault of this program is shown with its traceback
            status = _exit_status(fault)
            if status is None:
                show_traceback(fault)
                sys.exit(_FAILURE)
            show_aside(f"openbooking: {' '.join(f'{fault}{_advice(fault)}'.split())}")
            sys.exit(status)


def _exit_status(fault: Exception) -> int | None:
    """Return the exit status for a fault; None for a fault of this program, whose stack trace is printed."""
    if isinstance(fault, SettingsError):
        return _MISUSE
    if isinstance(fault, CommandError):
        return fault.status
    known = isinstance(fault, UserError | OpenBookingError | OAuthError | StoreUnavailableError)
    return _FAILURE if known else None


def _advice(fault: Exception) -> str:
    """Return the option or command that helps after a fault; empty if there is none."""
    match fault:
        case PartnerExistsError():
            return " `openbooking partner new-key` gives it another API key."
        case SellerExistsError():
            return " --replace replaces it."
        case BothCredentialsInUseError():
            command = "end-former-key" if fault.kind is CredentialKind.API_KEY else "end-former-secret"
            return f" End that first with `openbooking partner {command} {fault.partner}`."
        case _:
            return ""
