-- The shop that every test's database is a copy of. Each protected value holds the word "whisper", or
-- is a number that occurs nowhere else, so that a leak can be found by looking for it.
CREATE ROLE app LOGIN PASSWORD 'app-secret';
CREATE ROLE clerk;
GRANT clerk TO app;
-- For frames by hand without the gateway, to compare.
CREATE ROLE direct LOGIN PASSWORD 'direct-secret' IN ROLE app;
-- Every text that reaches the server is in its log, prepared ones too.
ALTER ROLE app SET log_min_messages = debug2;
CREATE DATABASE shop OWNER app;
\c shop
SET ROLE app;
CREATE TABLE users (
  id int PRIMARY KEY, name text NOT NULL, email text NOT NULL, ssn text NOT NULL,
  diagnosis text NOT NULL, pin int NOT NULL, profile jsonb NOT NULL
);
INSERT INTO users
SELECT n, 'user ' || n, 'whisper' || n || '@mail.example', '900-11-000' || n, 'whisper-' || n, 77000 + n,
       jsonb_build_object('who', 'whisper-' || n, 'deep', jsonb_build_array('whisper', n))
FROM generate_series(1, 5) n;
CREATE TABLE orders (
  id int PRIMARY KEY, user_id int REFERENCES users, total numeric NOT NULL, status text NOT NULL
);
INSERT INTO orders SELECT n, 1 + n % 5, 10 * n, 'new' FROM generate_series(1, 20) n;
CREATE VIEW patients AS SELECT id, diagnosis AS what, name FROM users;
CREATE FUNCTION confess(int) RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'it is %', (SELECT diagnosis FROM public.users WHERE id = $1); RETURN $1; END $$;
CREATE FUNCTION sideways(text) RETURNS text LANGUAGE sql AS
  $$ SELECT set_config('search_path', $1, false) $$;
CREATE SCHEMA shadow;
CREATE TABLE shadow.orders (id int PRIMARY KEY, user_id int, total numeric, status text);
ANALYZE users;
