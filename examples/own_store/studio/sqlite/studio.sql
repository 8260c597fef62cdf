-- The tables that the studio has had for years. Its own software reads and writes them. Times are in UTC.
CREATE TABLE classes (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, price_pence INTEGER NOT NULL);
CREATE TABLE class_dates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    class_id INTEGER NOT NULL REFERENCES classes,
    starts TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    spaces INTEGER NOT NULL
);
CREATE TABLE courts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, price_pence INTEGER NOT NULL);
CREATE TABLE court_hours (id INTEGER PRIMARY KEY AUTOINCREMENT, court_id INTEGER NOT NULL REFERENCES courts, starts TEXT NOT NULL);
CREATE TABLE members (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE walk_ins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id INTEGER NOT NULL REFERENCES members,
    class_date_id INTEGER REFERENCES class_dates,
    court_hour_id INTEGER REFERENCES court_hours,
    CHECK ((class_date_id IS NULL) <> (court_hour_id IS NULL))
);
