-- Times are microseconds since the Unix epoch, UTC. Principal names are stored folded where they are
-- compared, and as they were written inside JSON. Column types are those that SQLite and PostgreSQL share.

CREATE TABLE tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    principal  TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    created    BIGINT NOT NULL,
    expires    BIGINT,
    revoked    BIGINT,
    last_used  BIGINT,
    note       TEXT
);

-- body is the request as it was made and never changes; what changes has a column.
CREATE TABLE requests (
    id           TEXT   NOT NULL PRIMARY KEY,
    principal    TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    session      TEXT   NOT NULL,
    target       TEXT   NOT NULL,
    state        TEXT   NOT NULL
        CHECK (state IN ('open', 'approved', 'denied', 'expired', 'withdrawn', 'used')),
    caller_waits BIGINT NOT NULL CHECK (caller_waits IN (0, 1)),
    created      BIGINT NOT NULL,
    expires      BIGINT NOT NULL,
    answers      TEXT   NOT NULL,
    used_by      TEXT,
    used_at      BIGINT,
    body         TEXT   NOT NULL
);
CREATE INDEX requests_by_state ON requests (state, created);
CREATE INDEX requests_by_asker ON requests (principal, digest, created);

CREATE TABLE sessions (
    id           TEXT   NOT NULL PRIMARY KEY,
    principal    TEXT   NOT NULL,
    folded       TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    on_behalf_of TEXT,
    target       TEXT   NOT NULL,
    "database"   TEXT   NOT NULL,
    client       TEXT   NOT NULL,
    method       TEXT   NOT NULL,
    token        TEXT,
    started      BIGINT NOT NULL,
    ended        BIGINT,
    operations   BIGINT NOT NULL,
    reason       TEXT
);
CREATE INDEX sessions_by_start ON sessions (started);
CREATE INDEX sessions_by_principal ON sessions (folded, started);

CREATE TABLE audit (
    id        TEXT   NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    principal TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    object    TEXT   NOT NULL,
    outcome   TEXT   NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);

CREATE TABLE policies (
    version TEXT   NOT NULL PRIMARY KEY,
    saved   BIGINT NOT NULL,
    files   TEXT   NOT NULL
);
