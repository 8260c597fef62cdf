"""The tables of partners, grants, users and sessions. Each table holds one kind of record of `openbooking.identity`.

`document` holds a record as JSON, and `revision` its revision. The other columns are copies of fields by which records
are looked up, and have the names of the fields. Instants are microseconds since 1970 UTC.
"""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table

from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.import_records import FollowedFeed, WaitingItems
from openbooking.identity.records import (
    Attempts,
    Authorization,
    Device,
    FeedPosition,
    Grant,
    IdentityRecord,
    Partner,
    PendingSignIn,
    ProposalMail,
    RegistrationToken,
    Session,
    SigningKey,
    User,
)
from openbooking.store.schema import Key, metadata


def _table(name: str, *columns: Column[str] | Column[bool] | Column[int]) -> Table:
    return Table(
        name,
        metadata,
        *columns,
        Column("revision", Integer, nullable=False),
        Column("document", LargeBinary, nullable=False),
    )


def _key(name: str) -> Column[str]:
    return Column(name, Key, primary_key=True)


def _expires() -> Column[int]:
    return Column("expires", BigInteger, nullable=False, index=True)


partner = _table(
    "partner",
    _key("key"),
    Column("api_key_digest", Key, unique=True),
    Column("former_api_key_digest", Key, unique=True),
)
grant = _table(
    "partner_grant",
    _key("partner"),
    _key("seller"),
    Column("settled", Boolean, nullable=False, index=True),
)
authorization = _table("partner_authorization", _key("id"), _expires())
user = _table(
    "seller_user",
    _key("name"),
    Column("seller", Key, nullable=False, index=True),
    Column("link_digest", Key, unique=True),
)
session = _table("user_session", _key("digest"), Column("username", Key, nullable=False, index=True), _expires())
pending_sign_in = _table(
    "pending_sign_in",
    _key("digest"),
    Column("username", Key, nullable=False, index=True),
    _expires(),
)
device = _table(
    "known_device",
    _key("digest"),
    Column("username", Key, primary_key=True, index=True),
    _expires(),
)
attempts = _table("sign_in_attempts", _key("subject"), _expires())
feed_position = _table("feed_position", _key("partner"), _key("feed"))
proposal_mail = _table("proposal_mail", _key("seller"), _key("username"))
followed_feed = _table("followed_feed", _key("source"))
waiting_items = _table("waiting_items", _key("feed"), _key("batch"))
registration_token = _table("registration_token", _key("digest"))
access_request = _table("access_request", _key("id"), _expires())
signing_key = _table("signing_key", _key("kid"))

TABLES: dict[type[IdentityRecord], Table] = {
    Partner: partner,
    Grant: grant,
    Authorization: authorization,
    User: user,
    Session: session,
    PendingSignIn: pending_sign_in,
    Device: device,
    Attempts: attempts,
    FeedPosition: feed_position,
    ProposalMail: proposal_mail,
    FollowedFeed: followed_feed,
    WaitingItems: waiting_items,
    RegistrationToken: registration_token,
    AccessRequest: access_request,
    SigningKey: signing_key,
}
