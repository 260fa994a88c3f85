-- The search index. It holds nothing that is not in the recordings, and is made anew from them when its
-- shape changes. Times are microseconds since the Unix epoch, UTC.

CREATE TABLE sessions (
    id           INTEGER NOT NULL PRIMARY KEY,
    session      TEXT    NOT NULL UNIQUE,
    principal    TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    on_behalf_of TEXT,
    target       TEXT    NOT NULL,
    "database"   TEXT    NOT NULL,
    segment      INTEGER NOT NULL
);

-- Newer rows have greater ids. open_words holds the made-up words of an operation that has not ended, for
-- when it does: what is in the full-text index cannot be read back.
CREATE TABLE operations (
    id          INTEGER NOT NULL PRIMARY KEY,
    session     INTEGER NOT NULL,
    operation   INTEGER,
    sequence    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    segment     INTEGER NOT NULL,
    effect      TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    error       TEXT,
    row_count   INTEGER NOT NULL,
    masked      INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    text        TEXT    NOT NULL,
    open_words  TEXT,
    open_text   TEXT
);
CREATE INDEX operations_by_session ON operations (session, operation);
CREATE INDEX operations_open ON operations (session) WHERE open_words IS NOT NULL;
CREATE INDEX operations_by_segment ON operations (segment);

-- contentless: the text to show stands in operations, the words are only for finding.
CREATE VIRTUAL TABLE words USING fts5 (
    text, facets, content = '', contentless_delete = 1, prefix = '2 3 4',
    tokenize = 'unicode61 remove_diacritics 0'
);

-- The times of 4096 neighbouring ids each, so that a span of time becomes a span of ids.
CREATE TABLE blocks (
    block    INTEGER NOT NULL PRIMARY KEY,
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL
);

-- How far into the recording the index reaches.
CREATE TABLE progress (
    only    INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    segment INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    at      INTEGER NOT NULL
);
INSERT INTO progress VALUES (1, 0, 0, 0);
