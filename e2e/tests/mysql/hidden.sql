-- Ways to carry a protected value out: each block is one session of its own, a statement a line. Nothing that
-- comes back, rows or errors, may hold a protected value in any dress. Lines with ! run past the gateway first.

-- dresses
SELECT *, 1 FROM users
SELECT users.* FROM users
SELECT reverse(email), hex(ssn), to_base64(diagnosis), ascii(email), conv(pin, 10, 16) FROM users
SELECT convert(email USING utf16), cast(email AS BINARY), cast(ssn AS CHAR), binary email FROM users
SELECT compress(email), uncompress(compress(email)), aes_encrypt(email, 'k') FROM users
SELECT pin + 0, -pin, pin | 0, pin / 1, pin = 77001, pin BETWEEN 77001 AND 77001 FROM users
SELECT elt(1, email), field('x', email), insert('', 1, 0, email), lpad(email, 40, 'x'), soundex(email) FROM users
SELECT if(email LIKE 'w%', email, 'no'), CASE email WHEN 'x' THEN 1 ELSE email END, coalesce(NULL, email), nullif(email, 'x') FROM users
SELECT concat_ws('-', 'a', email), export_set(5, 'Y', email, '', 4), make_set(1, email), quote(email) FROM users
SELECT user_id, (SELECT email FROM users u WHERE u.id = o.user_id) FROM orders o
SELECT email status FROM users; SELECT status FROM orders
SELECT DISTINCT email FROM users
SELECT max(email), min(ssn), group_concat(email), group_concat(DISTINCT ssn ORDER BY pin SEPARATOR '') FROM users
SELECT name FROM users GROUP BY email WITH ROLLUP
SELECT email AS id FROM users GROUP BY id ORDER BY 1
SELECT first_value(email) OVER (ORDER BY id), lag(email, 1) OVER (ORDER BY id), nth_value(ssn, 1) OVER () FROM users
SELECT DEFAULT(email), email FROM users
SELECT sum(pin), avg(pin), std(pin), bit_or(pin), bit_xor(pin) FROM users WHERE id = 1
SELECT sql_no_cache SQL_CALC_FOUND_ROWS email FROM users LIMIT 1
SELECT HIGH_PRIORITY STRAIGHT_JOIN email FROM users
SELECT /*!50000 email, */ id FROM users
SELECT /*M!100000 email, */ id FROM users

-- JSON
SELECT json_arrayagg(email), json_objectagg(id, ssn) FROM users
SELECT json_object('a', email), json_array(ssn), json_quote(diagnosis), json_extract(profile, '$.who') FROM users
SELECT json_value(profile, '$.who'), json_query(profile, '$'), json_search(profile, 'all', '%'), json_detailed(profile), json_compact(profile) FROM users
SELECT j.v FROM users, JSON_TABLE(users.profile, '$' COLUMNS (v VARCHAR(50) PATH '$.who')) j
SELECT status.v FROM users, JSON_TABLE(json_array(email), '$[*]' COLUMNS (v VARCHAR(50) PATH '$')) status
SELECT column_json(column_create('a', email)), column_get(column_create('a', ssn), 'a' AS CHAR) FROM users
SELECT json_merge('{}', profile), json_keys(json_object(email, 1)) FROM users

-- sets and derived tables
SELECT status FROM orders UNION ALL SELECT email FROM users
(SELECT status FROM orders) UNION (SELECT ssn FROM users) ORDER BY 1
SELECT status FROM (SELECT status FROM orders UNION SELECT email FROM users) orders
SELECT status FROM orders EXCEPT SELECT '' UNION SELECT diagnosis FROM users
VALUES ((SELECT email FROM users LIMIT 1)), (2)
SELECT * FROM (VALUES ((SELECT email FROM users LIMIT 1))) orders
SELECT status FROM (SELECT email AS status FROM users) orders
SELECT o.status FROM (SELECT * FROM (SELECT ssn AS status, id FROM users) a) o
WITH orders(status) AS (SELECT email FROM users) SELECT status FROM orders
WITH RECURSIVE c AS (SELECT 1 n, email e FROM users UNION ALL SELECT n + 1, e FROM c WHERE n < 2) SELECT e, n FROM c
SELECT a.e FROM (WITH q AS (SELECT email e FROM users) SELECT e FROM q) a
SELECT id, email FROM orders JOIN users USING (id)
SELECT * FROM orders NATURAL JOIN users
SELECT orders.email FROM users orders JOIN orders users ON users.id = orders.id
SELECT status FROM orders JOIN (SELECT email FROM users) u ON 1 LIMIT 0
SELECT u.* FROM orders o LEFT JOIN users u ON u.id = o.user_id
SELECT (SELECT group_concat(email) FROM users) AS status FROM orders LIMIT 1
SELECT exists(SELECT 1 FROM users WHERE email = 'x'), (SELECT ssn FROM users WHERE id = 1) = 'x', email IN (SELECT email FROM users) FROM users
SELECT id FROM users PROCEDURE ANALYSE()
SELECT email, id FROM users PROCEDURE ANALYSE(10, 2000)

-- views
SELECT what FROM patients
SELECT p.what FROM patients p
!CREATE VIEW outer_view AS SELECT what AS status FROM patients
SELECT status FROM outer_view
SELECT * FROM outer_view
CREATE VIEW made AS SELECT status FROM orders
SELECT status FROM made LIMIT 1
CREATE OR REPLACE VIEW made AS SELECT email AS status FROM users
SELECT status FROM made
ALTER VIEW made AS SELECT ssn AS status FROM users
SELECT status FROM made

-- a view that changes in the same text
CREATE VIEW made2 AS SELECT status FROM orders
SELECT status FROM made2 LIMIT 1
CREATE OR REPLACE VIEW made2 AS SELECT email AS status FROM users; SELECT status FROM made2
SELECT 1; SELECT 2; CREATE OR REPLACE VIEW made2 AS SELECT diagnosis AS status FROM users; SELECT status FROM made2

-- variables
SELECT ssn INTO @x FROM users LIMIT 1
SELECT @x
SELECT upper(@x), 1
SELECT @X AS status FROM orders LIMIT 1
SELECT * FROM (SELECT @x) t
SELECT status FROM orders UNION SELECT @x
SET @y = @x
SELECT @y
SELECT hex(@y), length(@y), @y IS NULL

-- variables set in passing
SELECT 1 FROM orders WHERE (@c := (SELECT email FROM users LIMIT 1)) IS NOT NULL LIMIT 1
SELECT @c
SELECT @d := diagnosis FROM users
SELECT @d
UPDATE orders SET status = (@e := 'paid') WHERE (@e := (SELECT diagnosis FROM users LIMIT 1)) IS NULL
SELECT @e
SET @f = (SELECT group_concat(pin) FROM users)
SELECT @f
DO @g := (SELECT ssn FROM users LIMIT 1)
SELECT @g
SELECT id FROM users WHERE (@h := diagnosis) <> ''
SELECT @h
DELETE FROM users WHERE (@i := ssn) = ''
SELECT @i
SELECT id FROM users ORDER BY @j := diagnosis
SELECT @j
UPDATE users SET name = concat(name, left(@k := diagnosis, 0))
SELECT @k
SELECT diagnosis INTO @l FROM users LIMIT 1; SELECT @l
SELECT count(*) FROM users HAVING (@m := max(diagnosis)) <> ''
SELECT @m

-- a cursor's variable, and one of a table's own
SELECT count(*) FROM orders GROUP BY @n := (SELECT ssn FROM users LIMIT 1)
SELECT @n AS status FROM orders LIMIT 1
INSERT INTO notes (body) VALUES (@n) RETURNING body
INSERT INTO notes (id, body) VALUES (77, @n) ON DUPLICATE KEY UPDATE body = @n
SELECT group_concat(@n, status) FROM orders

-- variables of the system
SET @@rand_seed1 = (SELECT pin FROM users WHERE id = 1)
SELECT @@rand_seed1
SELECT @@session.rand_seed1, 1
SHOW VARIABLES LIKE 'rand_seed1'
SELECT variable_value FROM information_schema.session_variables WHERE variable_name = 'rand_seed1'
SET auto_increment_offset = (SELECT pin FROM users WHERE id = 2) - 76000
SELECT @@auto_increment_offset + 76000
SET timestamp = (SELECT pin FROM users WHERE id = 3)
SELECT unix_timestamp()
SELECT unix_timestamp(now())
SELECT now(), curtime(), sysdate(), utc_timestamp()
SET time_zone = '+00:00', character_set_results = 'latin1'
SELECT @@timestamp
SELECT pin INTO @pin FROM users WHERE id = 3
SET timestamp = @pin
SELECT unix_timestamp()
SET @@session.rand_seed2 = @pin + 0, @a = 1
SELECT @@rand_seed2
SET STATEMENT rand_seed1 = (SELECT pin FROM users WHERE id = 1) FOR SELECT @@rand_seed1
SET STATEMENT timestamp = @pin FOR SELECT unix_timestamp()
SET GLOBAL init_connect = (SELECT diagnosis FROM users LIMIT 1)
SHOW GLOBAL VARIABLES LIKE 'init_connect'

-- the last number
SELECT last_insert_id(pin) FROM users WHERE id = 1
SELECT last_insert_id()
SELECT @@last_insert_id, @@identity
UPDATE orders SET total = total WHERE id = 1 AND last_insert_id((SELECT pin FROM users WHERE id = 2)) > 0
SELECT last_insert_id()
INSERT INTO notes (id, body) VALUES ((SELECT pin FROM users WHERE id = 4), 'x')
SELECT last_insert_id(), row_count(), found_rows()
INSERT INTO notes (id, body) VALUES (last_insert_id(), 'z')
SELECT id FROM users WHERE last_insert_id(pin) > 0 LIMIT 1
SELECT last_insert_id() + 0 AS n, last_insert_id(last_insert_id())
UPDATE orders SET total = total WHERE last_insert_id(last_insert_id()) > 0 AND id = 1

-- SQL's own prepared statements
PREPARE p FROM 'SELECT email FROM users'
EXECUTE p
SET @q = 'SELECT email AS status FROM users'
PREPARE q FROM @q
EXECUTE q
EXECUTE IMMEDIATE 'SELECT ssn FROM users'
EXECUTE IMMEDIATE concat('SELECT ', 'ssn FROM users')
PREPARE r FROM 'SELECT email FROM users'; EXECUTE r
PREPARE s FROM 'SELECT ? FROM orders LIMIT 1'; SET @s = (SELECT email FROM users LIMIT 1); EXECUTE s USING @s
EXECUTE IMMEDIATE 'SELECT ?' USING (SELECT email FROM users LIMIT 1)

-- code
!CREATE PROCEDURE leak(OUT o TEXT) SELECT diagnosis INTO o FROM users LIMIT 1
!CREATE PROCEDURE show_it() SELECT diagnosis AS status FROM users
!CREATE FUNCTION told() RETURNS TEXT READS SQL DATA RETURN (SELECT diagnosis FROM users LIMIT 1)
!CREATE PROCEDURE cry() BEGIN DECLARE m TEXT; SELECT diagnosis INTO m FROM users LIMIT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = m; END
!CREATE PROCEDURE fill(INOUT x TEXT) SET x = (SELECT ssn FROM users LIMIT 1)
CALL leak(@o)
SELECT @o
CALL show_it()
CALL cry()
SHOW WARNINGS
SHOW ERRORS
GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT
SELECT @m
SELECT told()
SELECT status, told() FROM orders LIMIT 1
SELECT * FROM (SELECT told() AS status) orders
SELECT status FROM orders WHERE status <> told() LIMIT 0
SET @t = told()
SELECT @t
CALL fill(@t)
SELECT @t
BEGIN NOT ATOMIC SELECT email FROM users; END
BEGIN NOT ATOMIC DECLARE c CURSOR FOR SELECT email FROM users; DECLARE v TEXT; OPEN c; FETCH c INTO v; SELECT v; END

-- errors and warnings
SELECT extractvalue('<a/>', concat('/', diagnosis)) FROM users
SHOW WARNINGS
SELECT updatexml('<a/>', concat('/', ssn), '') FROM users
SELECT extractvalue('<a/>', concat('/$', (SELECT diagnosis FROM users LIMIT 1)))
SELECT extractvalue('<a/>', concat('~', what)) FROM patients
SELECT CAST(diagnosis AS SIGNED), CAST(ssn AS DATE), diagnosis + 1 FROM users
SHOW WARNINGS
SHOW WARNINGS LIMIT 1
GET DIAGNOSTICS CONDITION 1 @m1 = MESSAGE_TEXT, @m2 = MYSQL_ERRNO
SELECT @m1
INSERT INTO users SELECT 9, name, email, ssn, diagnosis, pin, profile, photo FROM users
SHOW WARNINGS
INSERT IGNORE INTO users SELECT 9, name, email, ssn, diagnosis, pin, profile, photo FROM users
SHOW WARNINGS
UPDATE users SET email = (SELECT email FROM (SELECT email FROM users WHERE id = 2) t) WHERE id = 1
SELECT (SELECT 1 UNION SELECT 2), email FROM users
SELECT json_extract(concat('{', diagnosis), '$') FROM users
SHOW WARNINGS
SELECT st_geomfromtext(diagnosis) FROM users
SELECT exp(pin), pow(pin, 100) FROM users
SELECT * FROM users WHERE extractvalue('<a/>', concat('/', diagnosis))
SELECT status FROM orders ORDER BY extractvalue('<a/>', concat('/', (SELECT diagnosis FROM users LIMIT 1)))
SELECT count(*) FROM orders, (SELECT count(*), concat((SELECT diagnosis FROM users LIMIT 1), floor(rand(0) * 2)) x FROM orders GROUP BY x) y
DELETE FROM orders WHERE id = extractvalue('<a/>', concat('/', (SELECT diagnosis FROM users LIMIT 1)))
SET @z = (SELECT diagnosis FROM users WHERE id = extractvalue('<a/>', concat('/', diagnosis)) LIMIT 1)
SELECT name_const('a', (SELECT diagnosis FROM users LIMIT 1))

-- errors that quote a variable
SELECT diagnosis INTO @w FROM users LIMIT 1
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @w
SHOW WARNINGS
SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = @w
SHOW WARNINGS
SELECT extractvalue('<a/>', concat('/', @w))
SELECT CAST(@w AS SIGNED)
SHOW WARNINGS
SELECT get_lock(@w, 0), is_used_lock(@w)
SET sql_mode = @w
SET time_zone = @w
SET NAMES utf8mb4
SELECT json_extract(concat('{', @w), '$')
SHOW WARNINGS
EXECUTE IMMEDIATE @w
PREPARE w FROM @w
SHOW WARNINGS
KILL QUERY @w
SELECT convert_tz(now(), @w, 'UTC'), date_format(now(), @w), str_to_date(@w, '%Y')
SHOW WARNINGS
ALTER TABLE notes COMMENT = 'x'
INSERT INTO notes (id) VALUES (@w)
SHOW WARNINGS

-- temporary tables
CREATE TEMPORARY TABLE tt AS SELECT diagnosis d, pin FROM users
SELECT d FROM tt
SELECT * FROM tt
SELECT max(d), pin FROM tt
SHOW CREATE TABLE tt
CREATE TEMPORARY TABLE orders AS SELECT diagnosis AS status FROM users
SELECT status FROM orders
SELECT x.status FROM orders x
INSERT INTO tt SELECT ssn, 1 FROM users
SELECT d FROM tt WHERE pin = 1
SELECT extractvalue('<a/>', concat('/', d)) FROM tt
DROP TEMPORARY TABLE orders
CREATE TEMPORARY TABLE notes LIKE users
INSERT INTO notes SELECT * FROM users
SELECT * FROM notes
SELECT name, email FROM notes

-- a temporary table by another spelling
CREATE /*!32302 TEMPORARY */ TABLE orders (status TEXT)
INSERT INTO orders SELECT diagnosis FROM users
SELECT status FROM orders

-- writing statements that answer
INSERT INTO notes (body) SELECT diagnosis FROM users RETURNING body
INSERT INTO notes (body) SELECT ssn FROM users RETURNING id, hex(body), concat(body, '')
REPLACE INTO notes (id, body) SELECT id, diagnosis FROM users RETURNING *
INSERT INTO notes (body) VALUES ((SELECT diagnosis FROM users LIMIT 1)) RETURNING body
INSERT INTO notes (id, body) VALUES (1, 'x') ON DUPLICATE KEY UPDATE body = (SELECT ssn FROM users LIMIT 1) RETURNING body
INSERT INTO notes (body) VALUES ('y') RETURNING (SELECT email FROM users LIMIT 1)
DELETE FROM users WHERE id = 5 RETURNING email, ssn, concat(diagnosis)
DELETE FROM notes RETURNING id, (SELECT max(email) FROM users)

-- HANDLER
HANDLER users OPEN
HANDLER users READ FIRST
HANDLER users READ NEXT WHERE id > 1
HANDLER users CLOSE
HANDLER users OPEN AS orders
HANDLER orders READ FIRST LIMIT 3
HANDLER orders READ email = ('whisper1@mail.example')
HANDLER orders CLOSE

-- what the server tells of others and of its own
SHOW FULL PROCESSLIST
SHOW EXPLAIN FOR 1
SHOW ANALYZE FORMAT=JSON FOR 1
EXPLAIN FOR CONNECTION 1
SELECT info FROM information_schema.processlist
SELECT upper(info) AS x, examined_rows FROM information_schema.processlist WHERE info LIKE '%whisper%'
SET profiling = 1
SELECT email FROM users WHERE diagnosis = concat('whis', 'per-1')
SHOW PROFILES
SHOW PROFILE ALL
SELECT trx_query FROM information_schema.innodb_trx
SHOW ENGINE INNODB STATUS
SHOW STATUS LIKE 'Last_query_cost'
ANALYZE TABLE users PERSISTENT FOR ALL
SELECT min_value, max_value, histogram FROM mysql.column_stats
SELECT hex(histogram), decode_histogram(hist_type, histogram) FROM mysql.column_stats
SELECT * FROM mysql.column_stats
SHOW INDEX FROM users
SHOW TABLE STATUS LIKE 'users'
SHOW FULL COLUMNS FROM users
SELECT authentication_string, plugin FROM mysql.user
SELECT priv FROM mysql.global_priv
SHOW GRANTS
SHOW CREATE USER
SHOW BINLOG EVENTS
SHOW BINARY LOGS
SHOW MASTER STATUS
SHOW SLAVE STATUS
CHECKSUM TABLE users

-- plans
EXPLAIN SELECT * FROM users WHERE id = 1
EXPLAIN EXTENDED SELECT * FROM users WHERE id = 1
SHOW WARNINGS
EXPLAIN FORMAT=JSON SELECT * FROM users WHERE email > (SELECT max(diagnosis) FROM users) OR ssn = (SELECT ssn FROM users WHERE id = 1)
EXPLAIN EXTENDED SELECT u.email, o.id FROM users u, orders o WHERE u.id = 1 AND o.status = u.diagnosis
SHOW WARNINGS
ANALYZE SELECT * FROM users WHERE email <> ''
ANALYZE FORMAT=JSON SELECT o.id FROM orders o, users u WHERE u.id = 1 AND o.status = u.diagnosis
ANALYZE FORMAT=JSON UPDATE orders SET status = 'x' WHERE status = (SELECT diagnosis FROM users WHERE id = 1)
EXPLAIN DELETE FROM users WHERE email = (SELECT ssn FROM (SELECT ssn FROM users WHERE id = 2) x)
SHOW WARNINGS
SET optimizer_trace = 'enabled=on'
SELECT o.id FROM orders o, users u WHERE u.id = 1 AND o.status = u.diagnosis
SELECT trace FROM information_schema.optimizer_trace
SELECT * FROM information_schema.optimizer_trace
DESCRIBE users email
DESC SELECT diagnosis FROM users WHERE id = 1

-- files
SELECT diagnosis INTO OUTFILE '/tmp/sallyport-hidden-out' FROM users
SELECT load_file('/tmp/sallyport-hidden-out')
SELECT diagnosis FROM users LIMIT 1 INTO DUMPFILE '/tmp/sallyport-hidden-dump'
SELECT convert(load_file('/tmp/sallyport-hidden-dump') USING utf8mb4)

-- character sets and modes
SET NAMES gbk
SELECT email, diagnosis FROM users
SET NAMES sjis
SELECT email, diagnosis FROM users
SET NAMES big5
SELECT concat(email, '\\'), diagnosis FROM users
SET character_set_results = utf16
SELECT email, diagnosis, hex(diagnosis) FROM users
SET character_set_results = NULL
SELECT email, diagnosis FROM users
SET NAMES utf8mb4
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'
SELECT "email" || '' FROM "users"
SET sql_mode = 'ORACLE'
SELECT email || '' FROM users
SELECT chr(65) || diagnosis FROM users
SET sql_mode = 'NO_BACKSLASH_ESCAPES'
SELECT '\', email, diagnosis, '\' FROM users
SET sql_mode = ''; SELECT "email", diagnosis FROM users
SET sql_mode = 'ANSI_QUOTES'; SELECT "email", diagnosis FROM users

-- names
SELECT EMAIL, `Email`, users.eMail FROM users
SELECT `users`.`email` FROM `users`
SELECT users . email FROM users
SELECT e.diagnosis`x`FROM users e
SELECT diagnosis"x"FROM users
SELECT DIAGNOSIS AS `id` FROM users `orders`
TABLE users
SELECT ALL email FROM users FOR UPDATE
SELECT email FROM users LOCK IN SHARE MODE
SELECT email FROM users FORCE INDEX (email) WHERE email > ''
SELECT email FROM users PARTITION (p0)
SELECT email FROM users FOR SYSTEM_TIME ALL

-- sequences
CREATE SEQUENCE seq_leak START WITH 1 MAXVALUE 1000000
SELECT setval(seq_leak, 5)
DO setval(seq_leak, 77001)
SELECT lastval(seq_leak)

-- the server's own table of variables
SELECT email, diagnosis INTO @a, @b FROM users WHERE id = 1
SELECT variable_name, variable_value FROM information_schema.user_variables
SELECT upper(variable_value), v.* FROM information_schema.user_variables v
USE information_schema
SELECT variable_value FROM user_variables
