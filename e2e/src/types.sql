-- A table with a column of every built-in type, and of every kind of type that a user can make. Rows: ordinary
-- values, extreme ones, empty ones, NULL throughout.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE TYPE pair AS (a int, b text, c numeric[]);
CREATE TYPE floatrange AS RANGE (subtype = float8, multirange_type_name = floatmultirange);
CREATE TABLE typed (
  n int PRIMARY KEY,
  bool bool, int2 int2, int4 int4, int8 int8, oid oid, float4 float4, float8 float8, numeric numeric,
  money money, text text, varchar varchar(20), char char(5), onechar "char", name name, bytea bytea,
  date date, time time, timetz timetz, timestamp timestamp, timestamptz timestamptz, interval interval,
  uuid uuid, json json, jsonb jsonb, xml xml, jsonpath jsonpath, inet inet, cidr cidr, macaddr macaddr,
  macaddr8 macaddr8, bit bit(5), varbit varbit, tsvector tsvector, tsquery tsquery, point point, line line,
  lseg lseg, box box, path path, polygon polygon, circle circle, int4range int4range, int8range int8range,
  numrange numrange, tsrange tsrange, tstzrange tstzrange, daterange daterange, int4multirange int4multirange,
  nummultirange nummultirange, datemultirange datemultirange, mood mood, posint posint, pair pair,
  floatrange floatrange, floatmultirange floatmultirange, pg_lsn pg_lsn, xid8 xid8, snapshot pg_snapshot, tid tid,
  ints int[], texts text[], matrix numeric[][], moods mood[], pairs pair[], jsonbs jsonb[], byteas bytea[],
  times timestamptz[], ranges int4range[], posints posint[]
);
INSERT INTO typed VALUES (1,
  true, 12, -7, 9007199254740993, 26, 1.5, 0.1, 12345678901234567890.0123456789,
  '$1,234.56', 'plain', 'varying', 'abc', 'x', 'a_name', '\x00ff10',
  '2026-11-26', '12:34:56.789012', '12:34:56.789+05:30', '2026-11-26 12:34:56.000001', '2026-11-26 12:34:56+02', '1 year 2 mons 3 days 04:05:06.7',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1, null,  "x"]}', '{"b": {"c": 1.50}, "a": []}', '<a b="c">d</a>', '$.a[*] ? (@ > 2)', '192.168.0.7/24', '10.0.0.0/8', '08:00:2b:01:02:03',
  '08:00:2b:01:02:03:04:05', B'10101', B'1', 'a fat cat''s:1A,2B', 'fat & (rat | !cat:*)', '(1.5,-2)', '{1,-1,0}',
  '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),2.5>', '[1,10)', '(,5]',
  '[1.1,2.2)', '[2026-01-01,2026-12-31)', '(2026-01-01 00:00+00,]', '[2026-01-01,2026-02-01)', '{[1,3),[5,9)}',
  '{(,1.5),[2,)}', '{[2026-01-01,2026-01-05)}', 'very happy', 5, '(1,"a ""quoted"", one","{1.5,NULL}")',
  '[0.5,1.5]', '{[0.5,1.5],(2,3)}', '16/B374D848', '123', '10:20:10,14,15', '(0,1)',
  '{1,NULL,3}', '{"a b",NULL,"NULL","with \"quote\"",""}', '{{1.10,2},{3,4}}', '{sad,"very happy"}', '{"(1,x,{1})","(,,)"}', '{"{\"k\": 1}",NULL}', '{"\\x00","\\xff"}',
  '{"2026-11-26 00:00+00",infinity}', '{"[1,3)",empty}', '{1,2}');
INSERT INTO typed VALUES (2,
  false, -32768, -2147483648, -9223372036854775808, 4294967295, 'NaN', '-Infinity', 'NaN',
  '-$92,233,720,368,547,758.08', E'\u2039ø\u203a \t \\ '' "', '', '', '', '', '\x',
  'infinity', '24:00:00', '00:00:00-15:59', '-infinity', 'infinity', '-178000000 years',
  '00000000-0000-0000-0000-000000000000', 'null', '"\u00e9 \ud83d\ude00"', '', '$', '::1', '::/0', '00:00:00:00:00:00',
  '00:00:00:00:00:00:00:00', B'00000', B'', '', 'x', '(Infinity,-Infinity)', '{0,1,0}',
  '[(1e300,-1e300),(0,1)]', '(NaN,0),(NaN,0)', '((0,0))', '((0,0))', '<(0,0),0>', 'empty', '(,)',
  '[NaN,NaN]', '(-infinity,infinity]', 'empty', '[infinity,)', '{}',
  '{}', '{(,)}', 'sad', 2147483647, '(,"",{})',
  '(-Infinity,NaN]', '{}', '0/0', '0', '1:1:', '(4294967295,65535)',
  '{}', '[2:3]={x,y}', '{}', '{}', '{}', '{}', '{}', '{-infinity}', '{}', '{}');
INSERT INTO typed (n, float4, float8, numeric, date, timestamp, timestamptz, interval, text, bytea, ints, inet) VALUES (3,
  '1e-45', '5e-324', 'Infinity', '4713-01-01 BC', '294276-12-31 23:59:59.999999', '4713-01-01 00:00:00+00 BC', '-1 mon 15 days -00:00:00.000001', repeat('long ', 3000), decode(repeat('00ff', 5000), 'hex'),
  (SELECT array_agg(n) FROM generate_series(1, 1000) n), 'fe80::1/64');
INSERT INTO typed (n, float8, numeric) VALUES (4, 'Infinity', '-Infinity'), (5, '-0', '0.000000000000000000000000000001');
INSERT INTO typed (n) VALUES (6);
CREATE TABLE copied (a int, b text);
CREATE TABLE events (id bigserial PRIMARY KEY, what text NOT NULL, at timestamptz NOT NULL DEFAULT now());
