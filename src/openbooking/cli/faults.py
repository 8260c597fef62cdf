"""Exit statuses and messages of commands that fail.

An error that the user can correct is printed in one line, without a stack trace.
"""

import logging
import re
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from openbooking.booking.commands.opportunities.add_seller import SellerExistsError
from openbooking.booking.store import StoreUnavailableError
from openbooking.cli.output import shorten, show_aside, show_traceback
from openbooking.identity.access_requests import UnknownRequestError
from openbooking.identity.oauth.errors import OAuthError
from openbooking.identity.partner_administration import PartnerExistsError, UnknownPartnerError
from openbooking.identity.partners.credentials import BothCredentialsInUseError, CredentialKind
from openbooking.identity.sellers import UnknownSellerError
from openbooking.identity.sign_in.accounts import UnknownUserError
from openbooking.openactive.errors import OpenBookingError
from openbooking.serving.logs import configure_logs
from openbooking.settings import SettingsError
from openbooking.settings.messages import list_words, nearest
from openbooking.user_error import UserError

MISUSE, _FAILURE = 2, 1
# Messages of typer about a wrong choice and a wrong number.
_NO_CHOICE = re.compile(r"(?:Value error, )?(?P<value>'.*') is not one of (?P<choices>'.*')\.")
_NO_NUMBER = re.compile(r"Input should be a valid (?P<kind>integer|number)\b.*")
_NUMBERS = {"integer": "whole number", "number": "number"}
# The sentence that helps after an error.
_ADVICE: dict[type[Exception], str] = {
    PartnerExistsError: "For another API key, run `openbooking partner new-key`.",
    SellerExistsError: "To replace it, use --replace.",
    UnknownSellerError: "`openbooking seller list` lists the Sellers.",
    UnknownUserError: "`openbooking user list` lists the users.",
    UnknownPartnerError: "`openbooking partner list` lists the Booking Partners.",
    UnknownRequestError: "`openbooking access-request list` lists the requests.",
}


class CommandError(UserError):
    """Options of the command contradict each other, or the command failed with a certain exit status.

    Args:
        message: The line to print.
        status: The exit status.
    """

    def __init__(self, message: str, status: int = _FAILURE) -> None:
        super().__init__(message)
        self.status = status


class OneLineFaults(TyperGroup):
    """The group of all commands, which prints a known error in one line on stderr and exits with its status."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Logs and errors go to stderr; standard output is for results."""
        configure_logs(logging.WARNING, for_good=False)
        try:
            return super().invoke(ctx)
        except typer.BadParameter as fault:
            fault.message = _usage_message(fault)
            raise
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except Exception as fault:  # noqa: BLE001 - an unknown error is printed with its traceback
            status = _exit_status(fault)
            if status is None:
                show_traceback(fault)
                sys.exit(_FAILURE)
            show_aside(f"openbooking: {' '.join(f'{shorten(str(fault))}{_advice(fault)}'.split())}")
            sys.exit(status)


def _usage_message(fault: typer.BadParameter) -> str:
    """Return the message about a wrong value, with the value, and with the nearest choice if there are choices."""
    if match := _NO_CHOICE.fullmatch(fault.message):
        choices = re.findall(r"'([^']*)'", match["choices"])
        found = nearest(match["value"].strip("'"), choices)
        advice = f" Did you mean {found}?" if found else ""
        return f"{match['value']} is no choice. It must be {list_words(choices)}.{advice}"
    if match := _NO_NUMBER.fullmatch(fault.message):
        # The cause is an error of pydantic, which typer has only in some of its versions.
        value = fault.__cause__.errors()[0]["input"]  # type: ignore[union-attr]
        return f"{value!r} is no {_NUMBERS[match['kind']]}."
    return fault.message


def _exit_status(fault: Exception) -> int | None:
    """Return the exit status for an error; None for an error in this program, which needs a stack trace."""
    if isinstance(fault, SettingsError):
        return MISUSE
    if isinstance(fault, CommandError):
        return fault.status
    known = isinstance(fault, UserError | OpenBookingError | OAuthError | StoreUnavailableError)
    return _FAILURE if known else None


def _advice(fault: Exception) -> str:
    """Return a sentence with the option or command that helps after an error; empty if there is none."""
    if isinstance(fault, BothCredentialsInUseError):
        command = "end-former-key" if fault.kind is CredentialKind.API_KEY else "end-former-secret"
        return f" First run `openbooking partner {command} {fault.partner}`."
    return next((f" {advice}" for kind, advice in _ADVICE.items() if isinstance(fault, kind)), "")
