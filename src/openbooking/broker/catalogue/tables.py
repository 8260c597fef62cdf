"""The tables of the catalogue, for SQLite and PostgreSQL. The items of the feeds are in the tables of `harvest.items`.

Feeds repeat the same name, place, Seller and activities for all sessions of a series and all Slots of a facility. These
are therefore kept once, as a *subject*. A search first finds subjects, of which there are few, and then their dates.
"""

from openbooking.harvest import items

TABLES = (
    *items.TABLES,
    # Whoever has processed the items up to this position finds the items that have changed since behind it.
    "CREATE TABLE IF NOT EXISTS catalogue_progress (position BIGINT)",
    "INSERT INTO catalogue_progress SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM catalogue_progress)",
    """
    CREATE TABLE IF NOT EXISTS catalogue_thing (
        owner BIGINT, path TEXT, thing BIGINT, parent BIGINT, shown INTEGER, subject BIGINT,
        starts BIGINT, ends BIGINT, spaces INTEGER, price BIGINT, opens BIGINT, closes BIGINT, requirements INTEGER,
        PRIMARY KEY (owner, path)
    )
    """,
    "CREATE INDEX IF NOT EXISTS catalogue_thing_id ON catalogue_thing (thing)",
    "CREATE INDEX IF NOT EXISTS catalogue_thing_parent ON catalogue_thing (parent) WHERE parent <> 0",
    "CREATE INDEX IF NOT EXISTS catalogue_thing_starts ON catalogue_thing (starts, owner, path) WHERE shown = 1",
    """
    CREATE INDEX IF NOT EXISTS catalogue_thing_subject
    ON catalogue_thing (subject, starts, closes, spaces, price) WHERE shown = 1
    """,
    """
    CREATE TABLE IF NOT EXISTS catalogue_subject (
        subject BIGINT PRIMARY KEY, system TEXT, type TEXT, name TEXT, seller TEXT, latitude DOUBLE PRECISION,
        longitude DOUBLE PRECISION
    )
    """,
    "CREATE INDEX IF NOT EXISTS catalogue_subject_place ON catalogue_subject (latitude, longitude)",
    "CREATE INDEX IF NOT EXISTS catalogue_subject_seller ON catalogue_subject (seller)",
    "CREATE TABLE IF NOT EXISTS catalogue_activity (concept BIGINT, subject BIGINT, PRIMARY KEY (concept, subject))",
    "CREATE TABLE IF NOT EXISTS catalogue_concept (concept BIGINT, label TEXT, PRIMARY KEY (concept, label))",
    "CREATE INDEX IF NOT EXISTS catalogue_concept_label ON catalogue_concept (label)",
    "CREATE TABLE IF NOT EXISTS catalogue_broader (concept BIGINT, broader BIGINT, PRIMARY KEY (concept, broader))",
)
