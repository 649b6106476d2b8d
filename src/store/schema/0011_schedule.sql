-- Who comes when. The day, our ids and the batch stand in the clear; what names or describes a patient is sealed.
CREATE TABLE appointment(
  practice   TEXT NOT NULL,
  id         TEXT NOT NULL,
  -- By which it is met again: a code of the other system's id for it, or of patient, day and order within the day.
  key        BLOB NOT NULL CHECK (length(key) = 32),
  date       TEXT NOT NULL,
  patient    TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('booked', 'vanished')),
  source     TEXT NOT NULL,
  -- What asked about it last.
  batch      TEXT,
  item       INTEGER,
  sealed     BLOB NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (practice, id),
  UNIQUE (practice, key),
  FOREIGN KEY (practice, patient) REFERENCES patient(practice, id)
) STRICT;
CREATE INDEX appointment_of_day ON appointment(practice, date);

CREATE TABLE schedule_day(
  practice    TEXT NOT NULL REFERENCES practice(id),
  date        TEXT NOT NULL,
  imported_at INTEGER,
  source      TEXT,
  batch       TEXT,
  PRIMARY KEY (practice, date)
) STRICT;
