-- What carriers asked of people. Neither the carrier's words nor the answer stands here: they live as long as the sign-in
-- that waits for them, and no longer.
CREATE TABLE task(
  practice   TEXT NOT NULL REFERENCES practice(id),
  id         TEXT NOT NULL,
  kind       TEXT NOT NULL,
  carrier    TEXT NOT NULL,
  credential TEXT NOT NULL,
  -- Whether the carrier had just refused an answer.
  again      INTEGER NOT NULL CHECK (again IN (0, 1)),
  state      TEXT NOT NULL CHECK (state IN ('open', 'answered', 'dismissed', 'expired', 'gone')),
  opened_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  closed_at  INTEGER,
  -- The id of the person or key; absent where nobody closed it.
  closed_by  TEXT,
  PRIMARY KEY (practice, id)
) STRICT;
-- One open prompt for a credential at most.
CREATE UNIQUE INDEX task_open ON task(practice, credential) WHERE state = 'open';
CREATE INDEX task_newest ON task(practice, opened_at);
