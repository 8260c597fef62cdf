"""E-mail to the administrator: it tells that developers ask for access to the API.

A message has no text of a request, which a stranger wrote. One message tells of all new requests, and at most one is
sent in an hour. Several processes may do this work: a process first claims the requests, by a change of their records
that only one process can make.
"""

from datetime import timedelta
from email.message import EmailMessage

import structlog
from msgspec.structs import replace

from openbooking.back_office.console_paths import ACCESS_REQUESTS_PATH
from openbooking.clock import Clock
from openbooking.identity.access_request_records import AccessRequest, AccessRequestState
from openbooking.identity.store import IdentityStore
from openbooking.mailing.smtp import make_message, send_message
from openbooking.settings import Settings

PAUSE = timedelta(hours=1)
_log = structlog.get_logger()


class AccessRequestMail:
    """Sends the e-mail about new requests.

    Args:
        settings: The settings, with the SMTP server and the address of the administrator.
        store: The store of requests.
        clock: The clock.
    """

    def __init__(self, settings: Settings, store: IdentityStore, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    async def send_due(self) -> None:
        """Tell the administrator of the open requests that it was not told of.

        After a failure, which is logged, the requests count as new again.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        requests, now = await self._store.find(AccessRequest), self._clock()
        new = [each for each in requests if each.told is None and each.state is AccessRequestState.OPEN]
        last = max((each.told for each in requests if each.told), default=None)
        if not new or (last and now < last + PAUSE):
            return
        claimed = [replace(each, told=now) for each in new]
        if not await self._store.save(*claimed):
            # Another process sends this message, or somebody has just decided about a request.
            return
        try:
            await send_message(self._settings, self._message(len(new)))
        except OSError as fault:
            _log.warning("access_request_mail.failed", reason=type(fault).__name__)
            await self._store.save(*(replace(each, told=None, revision=each.revision + 1) for each in claimed))
            return
        _log.info("access_request_mail.sent", requests=len(new))

    def _message(self, number: int) -> EmailMessage:
        what = "1 new request" if number == 1 else f"{number} new requests"
        text = (
            f"{what} for access to the API of {self._settings.name}.\n\n"
            f"Decide here, as an administrator: {self._settings.site}{ACCESS_REQUESTS_PATH}\n"
            "Or on the server: openbooking access-request list\n"
        )
        to = self._settings.administrator_email or self._settings.publisher_email
        return make_message(self._settings, to, f"{what} for access", text, self._clock())
