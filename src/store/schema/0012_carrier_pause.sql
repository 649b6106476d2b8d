-- Carriers that a practice asks nothing, because a person said so.
CREATE TABLE carrier_pause(
  practice TEXT NOT NULL REFERENCES practice(id),
  carrier  TEXT NOT NULL,
  -- The id of the person or key.
  actor    TEXT NOT NULL,
  since    INTEGER NOT NULL,
  -- Why, in that person's words: sealed, for people write names into such texts.
  sealed   BLOB NOT NULL,
  PRIMARY KEY (practice, carrier)
) STRICT;
