-- Joins the tables of the studio with those of openbooking in the schema `openbooking`. Run once, after `prepare`.

-- Each date of a class and each hour of a court, with the path by which openbooking knows it.
CREATE VIEW public.bookable AS
    SELECT ('scheduled-sessions/' || id) COLLATE "C" AS path, id AS class_date_id, NULL::bigint AS court_hour_id, spaces
    FROM public.class_dates
    UNION ALL
    SELECT ('slots/' || id) COLLATE "C", NULL, id, 1 FROM public.court_hours;

-- Spaces left: the capacity without bookings of apps, without those that apps hold at the moment, without walk-ins.
CREATE VIEW public.spaces_left AS
    SELECT
        path,
        class_date_id,
        court_hour_id,
        spaces
        - coalesce((SELECT booked FROM openbooking.opportunity o WHERE o.path = bookable.path), 0)
        - coalesce((
            SELECT sum(places) FROM openbooking.claim c
            WHERE c.opportunity = bookable.path AND c.expires > extract(epoch FROM clock_timestamp()) * 1000000
        ), 0)
        - coalesce((SELECT e.spaces FROM openbooking.sold_elsewhere e WHERE e.path = bookable.path), 0)
        AS spaces_left
    FROM public.bookable;

-- A walk-in takes a space in the transaction that enters it, or is refused. Until that transaction ends it holds the lock
-- of the row that every booking of an app must lock, so no app can book between the check and the end.
CREATE FUNCTION public.take_space() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted public.bookable;
BEGIN
    -- With another isolation level the statements below would not see what apps hold since the transaction has begun.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING MESSAGE = 'Enter walk-ins in transactions with READ COMMITTED.';
    END IF;
    SELECT * INTO wanted FROM public.bookable
    WHERE class_date_id = NEW.class_date_id OR court_hour_id = NEW.court_hour_id;
    PERFORM FROM openbooking.opportunity WHERE path = wanted.path FOR UPDATE;
    IF (SELECT spaces_left FROM public.spaces_left WHERE path = wanted.path) < 1 THEN
        RAISE check_violation USING MESSAGE = 'There is no space left.';
    END IF;
    INSERT INTO openbooking.sold_elsewhere (path, spaces) VALUES (wanted.path, 1)
    ON CONFLICT (path) DO UPDATE SET spaces = sold_elsewhere.spaces + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER walk_in_takes_space BEFORE INSERT ON public.walk_ins
FOR EACH ROW EXECUTE FUNCTION public.take_space();

CREATE FUNCTION public.give_space_back() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given text COLLATE "C" := (
        SELECT path FROM public.bookable
        WHERE class_date_id = OLD.class_date_id OR court_hour_id = OLD.court_hour_id
    );
BEGIN
    PERFORM FROM openbooking.opportunity WHERE path = given FOR UPDATE;
    UPDATE openbooking.sold_elsewhere SET spaces = spaces - 1 WHERE path = given;
    RETURN OLD;
END $$;
CREATE TRIGGER walk_in_gives_space_back AFTER DELETE ON public.walk_ins
FOR EACH ROW EXECUTE FUNCTION public.give_space_back();

CREATE FUNCTION public.refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE restrict_violation USING MESSAGE = 'Delete the walk-in and enter it again.';
END $$;
CREATE TRIGGER walk_in_stays BEFORE UPDATE OF class_date_id, court_hour_id ON public.walk_ins
FOR EACH ROW EXECUTE FUNCTION public.refuse_move();

-- Walk-ins from before.
INSERT INTO openbooking.sold_elsewhere (path, spaces)
SELECT path, count(*) FROM public.walk_ins w JOIN public.bookable b
ON b.class_date_id = w.class_date_id OR b.court_hour_id = w.court_hour_id
GROUP BY path;

-- What apps have booked, for the studio's own lists. `on_committed` writes it (app.py).
CREATE TABLE public.app_bookings (
    partner text NOT NULL,
    order_uuid text NOT NULL,
    item integer NOT NULL,
    path text NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (partner, order_uuid, item)
);
