"""The tables of the journal, and the statements that read and write its rows."""

TABLES = (
    # A row is written by the instance that owns the purchase, apart from the columns from `due` on: these are news of
    # the feeds, which are written in the transactions of their pages.
    """
    CREATE TABLE IF NOT EXISTS broker_purchases (
        id TEXT PRIMARY KEY,
        site TEXT NOT NULL,
        seller TEXT NOT NULL,
        order_uuid TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        since DOUBLE PRECISION NOT NULL,
        owner TEXT NOT NULL,
        revision BIGINT NOT NULL,
        body BLOB NOT NULL,
        approval INTEGER NOT NULL,
        agreed_version TEXT NOT NULL,
        amount TEXT NOT NULL,
        currency TEXT NOT NULL,
        pays INTEGER NOT NULL,
        reference TEXT NOT NULL,
        payments INTEGER NOT NULL,
        payment_key TEXT NOT NULL,
        payment_id TEXT NOT NULL,
        refunded TEXT NOT NULL,
        refunding TEXT NOT NULL,
        restarts INTEGER NOT NULL,
        fault TEXT NOT NULL,
        reply BLOB NOT NULL,
        reply_type TEXT NOT NULL,
        due TEXT,
        proposal_status TEXT,
        proposal_version TEXT,
        proposal_total TEXT,
        proposal_currency TEXT
    )
    """,
    "CREATE INDEX IF NOT EXISTS broker_purchases_state ON broker_purchases (site, state)",
    # Every Order UUID that was ever used, so that none is used again.
    """
    CREATE TABLE IF NOT EXISTS broker_order_uuids (
        uuid TEXT PRIMARY KEY,
        purchase TEXT NOT NULL,
        abandoned INTEGER NOT NULL,
        stray INTEGER NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS broker_order_uuids_stray ON broker_order_uuids (stray)",
)

SELECT = """
    SELECT
        id, site, seller, order_uuid, state, since, owner, revision, body, approval, agreed_version, amount, currency,
        pays, reference, payments, payment_key, payment_id, refunded, refunding, restarts, fault, reply, reply_type,
        due, proposal_status, proposal_version, proposal_total, proposal_currency
    FROM broker_purchases
"""
INSERT = """
    INSERT INTO broker_purchases (
        id, site, seller, order_uuid, state, since, owner, revision, body, approval, agreed_version, amount, currency,
        pays, reference, payments, payment_key, payment_id, refunded, refunding, restarts, fault, reply, reply_type
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE = """
    UPDATE broker_purchases SET
        order_uuid = ?, state = ?, since = ?, owner = ?, revision = ?, body = ?, approval = ?, agreed_version = ?,
        amount = ?, currency = ?, pays = ?, reference = ?, payments = ?, payment_key = ?, payment_id = ?, refunded = ?,
        refunding = ?, restarts = ?, fault = ?, reply = ?, reply_type = ?
    WHERE id = ? AND revision = ?
"""
FORGET_NEWS = """
    UPDATE broker_purchases
    SET due = NULL, proposal_status = NULL, proposal_version = NULL, proposal_total = NULL, proposal_currency = NULL
    WHERE id = ?
"""
