-- People have one account for all their practices; a membership says what they are in one of them. Password and seed are
-- sealed over the hash and the key they hold: a copy of the database gives nothing to guess at.
CREATE TABLE person(
  id            TEXT PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  password      BLOB,
  second_factor INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
  totp          BLOB,
  totp_draft    BLOB,
  totp_step     INTEGER NOT NULL,
  invite        BLOB UNIQUE CHECK (length(invite) = 32),
  invite_until  INTEGER NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE membership(
  practice   TEXT NOT NULL REFERENCES practice(id),
  person     TEXT NOT NULL REFERENCES person(id),
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (practice, person)
) STRICT;
CREATE INDEX membership_of_person ON membership(person, created_at);

-- 80 random bits each: as with keys, a plain SHA-256 leaves nothing to guess.
CREATE TABLE recovery_code(
  person  TEXT NOT NULL REFERENCES person(id),
  hash    BLOB NOT NULL CHECK (length(hash) = 32),
  used_at INTEGER,
  PRIMARY KEY (person, hash)
) STRICT;

-- Only the SHA-256 of the cookie is kept. `id` is what people see and revoke by.
CREATE TABLE session(
  practice   TEXT NOT NULL REFERENCES practice(id),
  person     TEXT NOT NULL REFERENCES person(id),
  id         TEXT NOT NULL UNIQUE,
  hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  level      TEXT NOT NULL CHECK (level IN ('code_needed', 'enrol_needed', 'password', 'totp', 'recovery')),
  tries      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;
CREATE INDEX session_of_person ON session(person, created_at);
CREATE INDEX session_of_practice ON session(practice, created_at);

-- Browsers from which a person has signed in before: strangers' failures do not slow these down.
CREATE TABLE known_device(
  person  TEXT NOT NULL REFERENCES person(id),
  hash    BLOB NOT NULL CHECK (length(hash) = 32),
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (person, hash)
) STRICT;
CREATE INDEX known_device_by_hash ON known_device(hash);

-- The one-time token of the first run. One row.
CREATE TABLE setup_token(
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  hash  BLOB NOT NULL CHECK (length(hash) = 32),
  until INTEGER NOT NULL
) STRICT;

-- NPIs, Tax ID, locations: sealed, because the Tax ID of somebody who practises alone is a social security number.
CREATE TABLE practice_profile(
  practice   TEXT PRIMARY KEY REFERENCES practice(id),
  sealed     BLOB NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

-- Sign-ins refused for accounts that do not exist, by day since 1970: a number, so that nobody fills the disk with names.
CREATE TABLE sign_in_unknown(
  day     INTEGER PRIMARY KEY,
  refused INTEGER NOT NULL
) STRICT;
