-- Joins the tables of the studio with those of openbooking, which are in the same file. Run once, after `prepare`.

-- Each date of a class and each hour of a court, with the path by which openbooking knows it.
CREATE VIEW bookable AS
    SELECT 'scheduled-sessions/' || id AS path, id AS class_date_id, NULL AS court_hour_id, spaces FROM class_dates
    UNION ALL
    SELECT 'slots/' || id, NULL, id, 1 FROM court_hours;

-- Spaces left: the capacity without bookings of apps, without those that apps hold at the moment, without walk-ins.
CREATE VIEW spaces_left AS
    SELECT
        bookable.path,
        bookable.class_date_id,
        bookable.court_hour_id,
        bookable.spaces
        - coalesce((SELECT booked FROM opportunity WHERE opportunity.path = bookable.path), 0)
        - coalesce((
            SELECT sum(places) FROM claim
            WHERE claim.opportunity = bookable.path
            AND claim.expires > (julianday('now') - 2440587.5) * 86400000000
        ), 0)
        - coalesce((SELECT sold_elsewhere.spaces FROM sold_elsewhere WHERE sold_elsewhere.path = bookable.path), 0)
        AS spaces_left
    FROM bookable;

-- A walk-in takes a space in the transaction that enters it, or is refused. SQLite has one writer at a time, so no app
-- can book between the check and the end of the transaction.
CREATE TRIGGER walk_in_takes_space BEFORE INSERT ON walk_ins
BEGIN
    SELECT RAISE(ABORT, 'There is no space left.') FROM spaces_left
    WHERE (class_date_id = NEW.class_date_id OR court_hour_id = NEW.court_hour_id) AND spaces_left < 1;
    INSERT INTO sold_elsewhere (path, spaces)
    SELECT path, 1 FROM bookable WHERE class_date_id = NEW.class_date_id OR court_hour_id = NEW.court_hour_id
    ON CONFLICT (path) DO UPDATE SET spaces = spaces + 1;
END;

CREATE TRIGGER walk_in_gives_space_back AFTER DELETE ON walk_ins
BEGIN
    UPDATE sold_elsewhere SET spaces = spaces - 1 WHERE path IN (
        SELECT path FROM bookable WHERE class_date_id = OLD.class_date_id OR court_hour_id = OLD.court_hour_id
    );
END;

CREATE TRIGGER walk_in_stays BEFORE UPDATE OF class_date_id, court_hour_id ON walk_ins
BEGIN
    SELECT RAISE(ABORT, 'Delete the walk-in and enter it again.');
END;

-- Walk-ins from before.
INSERT INTO sold_elsewhere (path, spaces)
SELECT path, count(*) FROM walk_ins JOIN bookable
ON bookable.class_date_id = walk_ins.class_date_id OR bookable.court_hour_id = walk_ins.court_hour_id
GROUP BY path;

-- What apps have booked, for the studio's own lists. `on_committed` writes it (app.py).
CREATE TABLE app_bookings (
    partner TEXT NOT NULL,
    order_uuid TEXT NOT NULL,
    item INTEGER NOT NULL,
    path TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (partner, order_uuid, item)
);
