-- Short-lived passwords for clients that cannot hand over a token: what their sign-in is verified by, never the
-- password itself. Each is for one target, and ends with the token that it was made by.
CREATE TABLE passwords (
    username TEXT PRIMARY KEY NOT NULL,
    principal TEXT NOT NULL,
    target TEXT NOT NULL,
    native TEXT NOT NULL,
    sha2 TEXT NOT NULL,
    token TEXT,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX passwords_of ON passwords (principal, created);
