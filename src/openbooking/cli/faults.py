"""What goes wrong for a reason the user can mend is told in one line, with a status, and without a stack trace."""

import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from openbooking.booking.store import StoreUnavailableError
from openbooking.cli.output import show_aside, show_traceback
from openbooking.openactive.errors import OpenBookingError
from openbooking.serving.logs import configure_logs
from openbooking.settings import SettingsError
from openbooking.user_error import UserError

_MISUSE, _FAILURE = 2, 1


class CommandError(UserError):
    """The command cannot do what it was asked to; the message says why, `status` is what the command exits with."""

    def __init__(self, message: str, status: int = _FAILURE) -> None:
        super().__init__(message)
        self.status = status


class OneLineFaults(TyperGroup):
    """The root of the commands: turns the faults that are known into one line on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. What it logs goes to stderr, like faults: standard output is for its results."""
        configure_logs(logging.WARNING, for_good=False)
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except Exception as fault:  # noqa: BLE001 - the traceback of a fault that is ours is shown too
            status = _exit_status(fault)
            if status is None:
                show_traceback(fault)
                sys.exit(_FAILURE)
            show_aside(f"openbooking: {' '.join(str(fault).split())}")
            sys.exit(status)


def _exit_status(fault: Exception) -> int | None:
    """The status to exit with; None for a fault that is ours, of which the stack trace is wanted."""
    if isinstance(fault, SettingsError):
        return _MISUSE
    if isinstance(fault, CommandError):
        return fault.status
    known = isinstance(fault, UserError | OpenBookingError | StoreUnavailableError)
    return _FAILURE if known else None
