-- The tables that the studio has had for years. Its own software reads and writes them. Times are in UTC.
CREATE TABLE classes (id bigserial PRIMARY KEY, name text NOT NULL, price_pence integer NOT NULL);
CREATE TABLE class_dates (
    id bigserial PRIMARY KEY,
    class_id bigint NOT NULL REFERENCES classes,
    starts text NOT NULL,
    minutes integer NOT NULL,
    spaces integer NOT NULL
);
CREATE TABLE courts (id bigserial PRIMARY KEY, name text NOT NULL, price_pence integer NOT NULL);
CREATE TABLE court_hours (id bigserial PRIMARY KEY, court_id bigint NOT NULL REFERENCES courts, starts text NOT NULL);
CREATE TABLE members (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE walk_ins (
    id bigserial PRIMARY KEY,
    member_id bigint NOT NULL REFERENCES members,
    class_date_id bigint REFERENCES class_dates,
    court_hour_id bigint REFERENCES court_hours,
    CHECK ((class_date_id IS NULL) <> (court_hour_id IS NULL))
);

-- The tables of openbooking get a schema of their own.
CREATE SCHEMA openbooking;
