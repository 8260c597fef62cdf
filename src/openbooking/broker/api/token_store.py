"""Keeps the tokens of Sellers in the database, and the authorizations that have been started.

Tokens are stored before they are used, so that none is lost when a process stops. Only one task or process at a time
exchanges a refresh token, because providers may end an authorization whose token is used twice.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from openbooking.broker.api.openid import Tokens
from openbooking.broker.store.database import Database

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS broker_tokens (
        client TEXT NOT NULL,
        seller TEXT NOT NULL,
        tokens BLOB NOT NULL,
        renewed_until DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (client, seller)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS broker_authorizations (
        state TEXT PRIMARY KEY,
        client TEXT NOT NULL,
        verifier TEXT NOT NULL,
        nonce TEXT NOT NULL,
        started DOUBLE PRECISION NOT NULL
    )
    """,
)

# After this time another process may try: the one that began has stopped.
LONGEST_RENEWAL = timedelta(minutes=2)
_LONGEST_AUTHORIZATION = timedelta(hours=1)


class Started(NamedTuple):
    """An authorization that has been started: its PKCE verifier and its nonce."""

    verifier: str
    nonce: str

    def __repr__(self) -> str:
        """Return the name of the class, without the secrets."""
        return "Started(…)"


class TokenStore:
    """The tokens of one client at one provider. The methods block; flows call them as `Work`.

    Args:
        database: The database, with its tables.
        client: A name of the client and its provider.
    """

    def __init__(self, database: Database, client: str) -> None:
        self._database = database
        self._client = client

    def sellers(self) -> tuple[Tokens, ...]:
        """Return the tokens of all Sellers that have authorised the client."""
        with self._database.transaction() as transaction:
            rows = transaction.execute(
                "SELECT tokens FROM broker_tokens WHERE client = ? ORDER BY seller", (self._client,)
            ).fetchall()
        return tuple(_read(row[0]) for row in rows)

    def find(self, seller: str) -> Tokens | None:
        """Return the tokens of a Seller, or None if the Seller has not authorised the client."""
        with self._database.transaction() as transaction:
            row = transaction.execute(
                "SELECT tokens FROM broker_tokens WHERE client = ? AND seller = ?", (self._client, seller)
            ).fetchone()
        return _read(row[0]) if row else None

    def save(self, tokens: Tokens) -> None:
        """Keep the tokens of a Seller in place of earlier ones."""
        content = msgspec.json.encode(tokens)
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO broker_tokens (client, seller, tokens, renewed_until) VALUES (?, ?, ?, 0)"
                " ON CONFLICT (client, seller) DO UPDATE SET tokens = excluded.tokens, renewed_until = 0",
                (self._client, tokens.seller, content),
            )

    def remove(self, seller: str) -> None:
        """Forget the tokens of a Seller."""
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM broker_tokens WHERE client = ? AND seller = ?", (self._client, seller))

    def claim(self, tokens: Tokens, now: datetime) -> bool:
        """Begin to renew tokens; return False if others do so, or have done so."""
        with self._database.transaction() as transaction:
            claimed = transaction.execute(
                "UPDATE broker_tokens SET renewed_until = ?"
                " WHERE client = ? AND seller = ? AND tokens = ? AND renewed_until <= ?",
                (
                    (now + LONGEST_RENEWAL).timestamp(),
                    self._client,
                    tokens.seller,
                    msgspec.json.encode(tokens),
                    now.timestamp(),
                ),
            )
            return claimed.rowcount == 1

    def release(self, seller: str) -> None:
        """End a renewal that gave no tokens."""
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE broker_tokens SET renewed_until = 0 WHERE client = ? AND seller = ?", (self._client, seller)
            )

    def start(self, state: str, started: Started, now: datetime) -> None:
        """Keep an authorization that is being started, and forget those that were never finished."""
        oldest = (now - _LONGEST_AUTHORIZATION).timestamp()
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM broker_authorizations WHERE started < ?", (oldest,))
            transaction.execute(
                "INSERT INTO broker_authorizations (state, client, verifier, nonce, started) VALUES (?, ?, ?, ?, ?)",
                (state, self._client, started.verifier, started.nonce, now.timestamp()),
            )

    def finish(self, state: str, now: datetime) -> Started | None:
        """Return an authorization that was started in the last hour, once; None if there is none."""
        with self._database.transaction() as transaction:
            row = transaction.execute(
                "SELECT verifier, nonce FROM broker_authorizations WHERE state = ? AND client = ? AND started >= ?",
                (state, self._client, (now - _LONGEST_AUTHORIZATION).timestamp()),
            ).fetchone()
            deleted = transaction.execute("DELETE FROM broker_authorizations WHERE state = ?", (state,))
        return Started(*row) if row and deleted.rowcount == 1 else None


def _read(content: bytes) -> Tokens:
    return msgspec.json.decode(bytes(content), type=Tokens)
