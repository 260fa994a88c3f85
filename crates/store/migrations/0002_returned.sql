-- How many callers have come back to a ticket and wait for its answer. Whom an approval may serve is
-- still said by caller_waits: a ticket serves any session of its principal, come back or not.
ALTER TABLE requests ADD COLUMN returned BIGINT NOT NULL DEFAULT 0;
