-- The life of a credential between what it may (`state`) and why. A row that was stopped before this step has no stage and
-- counts as suspect.
ALTER TABLE credential ADD COLUMN stage TEXT CHECK (stage IN ('suspect', 'verifying', 'disabled'));
-- When its values end, as a person entered it: the age of a password, the end of a certificate.
ALTER TABLE credential ADD COLUMN expires_at INTEGER;
-- A login that has left and whose outcome is not known yet; also its number. Found at a start, it means a crash.
ALTER TABLE credential ADD COLUMN login_at INTEGER;
-- The newest generation that the carrier has accepted.
ALTER TABLE credential ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
-- The last step (RFC 6238) whose one-time code has left, whatever the generation.
ALTER TABLE credential ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
