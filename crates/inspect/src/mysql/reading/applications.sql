-- What applications, their frameworks and their tools send: each must be read, and be one statement.
SELECT `users`.* FROM `users` WHERE `users`.`email` = 'a@b.c' LIMIT 1
SELECT `auth_user`.`id`, `auth_user`.`password` FROM `auth_user` WHERE (`auth_user`.`is_active` AND NOT (`auth_user`.`email` = '')) ORDER BY `auth_user`.`id` ASC LIMIT 21
SELECT (1) AS `a` FROM `django_session` WHERE (`django_session`.`session_key` = 'x' AND NOT (`django_session`.`expire_date` < '2024-01-01 00:00:00.000000')) LIMIT 1
SELECT count(*) as aggregate from `orders` where exists (select * from `items` where `orders`.`id` = `items`.`order_id` and `sku` in ('a', 'b')) and `orders`.`deleted_at` is null
select `posts`.*, (select count(*) from `comments` where `posts`.`id` = `comments`.`post_id`) as `comments_count` from `posts` order by `created_at` desc limit 15 offset 0
SELECT wp_posts.* FROM wp_posts INNER JOIN wp_term_relationships ON (wp_posts.ID = wp_term_relationships.object_id) WHERE 1=1 AND ( wp_term_relationships.term_taxonomy_id IN (3,4) ) AND wp_posts.post_type = 'post' AND ((wp_posts.post_status = 'publish')) GROUP BY wp_posts.ID ORDER BY wp_posts.post_date DESC LIMIT 0, 10
SELECT option_name, option_value FROM wp_options WHERE autoload = 'yes'
SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts WHERE 1=1 LIMIT 0, 10
SELECT FOUND_ROWS()
INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('a', 'b', 'yes') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`)
INSERT INTO sessions (id, data, expires) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE data = VALUES(data), expires = GREATEST(expires, VALUES(expires))
UPDATE `users` SET `last_login` = NOW(), `login_count` = COALESCE(`login_count`, 0) + 1 WHERE `id` = 42
UPDATE accounts a INNER JOIN (SELECT account_id, SUM(amount) AS total FROM ledger GROUP BY account_id) l ON l.account_id = a.id SET a.balance = l.total
UPDATE inventory SET qty = qty - 1 WHERE sku = 'x' AND qty > 0 LIMIT 1
UPDATE t SET status = CASE id WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE status END WHERE id IN (1, 2)
UPDATE t SET doc = JSON_SET(doc, '$.a', 1, '$.b', JSON_ARRAY('x')) WHERE JSON_EXTRACT(doc, '$.c') = TRUE
DELETE FROM sessions WHERE expires < UNIX_TIMESTAMP()
DELETE o FROM orders o LEFT JOIN users u ON u.id = o.user_id WHERE u.id IS NULL
DELETE FROM logs WHERE created_at < NOW() - INTERVAL 30 DAY ORDER BY id LIMIT 1000
INSERT INTO archive SELECT * FROM orders WHERE created_at < DATE_SUB(CURDATE(), INTERVAL 1 YEAR)
INSERT IGNORE INTO tags (name) VALUES ('a'), ('b')
INSERT INTO t (a) SELECT 'x' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM t WHERE a = 'x')
REPLACE INTO cache (k, v) VALUES ('a', 'b')
SELECT table_name, table_rows, ROUND(((data_length + index_length) / 1024 / 1024), 2) AS 'Size in MB' FROM information_schema.TABLES WHERE table_schema = DATABASE() ORDER BY (data_length + index_length) DESC
SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'users' ORDER BY ordinal_position
SELECT TABLE_NAME AS `table`, CONCAT('KILL ', id, ';') FROM information_schema.PROCESSLIST WHERE user = 'x'
SELECT DATE_FORMAT(created_at, '%Y-%m') AS month, COUNT(*) AS n, SUM(total) FROM orders GROUP BY month ORDER BY month
SELECT DATE(created_at) d, COUNT(DISTINCT user_id) FROM events WHERE created_at BETWEEN '2024-01-01' AND '2024-01-31 23:59:59' GROUP BY d WITH ROLLUP
SELECT u.id, u.name, RANK() OVER (PARTITION BY u.country ORDER BY SUM(o.total) DESC) AS r FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id, u.name HAVING r <= 3
SELECT id, LAG(total) OVER (ORDER BY created_at) AS prev, total - LAG(total, 1, 0) OVER (ORDER BY created_at) AS diff FROM orders
WITH RECURSIVE tree AS (SELECT id, parent_id, 0 AS depth FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id, t.depth + 1 FROM categories c JOIN tree t ON c.parent_id = t.id) SELECT * FROM tree ORDER BY depth
SELECT JSON_UNQUOTE(JSON_EXTRACT(data, '$.email')) AS email, data->>'$.name' FROM profiles WHERE JSON_CONTAINS(data, '"x"', '$.tags')
SELECT IFNULL(NULLIF(TRIM(name), ''), 'n/a'), IF(active = 1, 'yes', 'no'), CONCAT_WS(' ', first, last), LPAD(id, 5, '0'), MD5(email), SHA2(x, 256), UUID(), RAND() FROM users
SELECT * FROM products WHERE MATCH(name, description) AGAINST('+red -blue' IN BOOLEAN MODE)
SELECT * FROM users WHERE email REGEXP '^[a-z]+@example\\.com$' OR name LIKE '%\_%'
SELECT a.x, b.y FROM a LEFT JOIN b ON a.id = b.a_id AND b.deleted = 0 WHERE b.id IS NULL
SELECT COUNT(IF(status = 'x', 1, NULL)) x, SUM(CASE WHEN a > 5 THEN 1 ELSE 0 END) y FROM t
SELECT @row := @row + 1 AS n, t.* FROM t, (SELECT @row := 0) r
SELECT GROUP_CONCAT(DISTINCT name ORDER BY name SEPARATOR ', ') FROM tags
SELECT t.id, position, status, type, date, time, timestamp, text, comment, user, role, value, data, level, year, password, action, enabled, count, code FROM t
SELECT id FROM t WHERE (a, b) IN ((1, 2), (3, 4)) AND c <=> NULL
SELECT DATEDIFF(NOW(), created_at), TIMESTAMPDIFF(MINUTE, a, b), UNIX_TIMESTAMP(a), FROM_UNIXTIME(1), LAST_DAY(a), STR_TO_DATE('1', '%d'), EXTRACT(MONTH FROM a), YEARWEEK(a, 1) FROM t
SELECT * FROM t WHERE a = 0x41 OR b = X'42' OR c = b'101' OR d = 1e3 OR e = .5 OR f = -1
SELECT 'it''s', "double", 'back\\slash', 'new\nline', _utf8mb4'x', N'y'
SELECT s.id FROM shop.orders AS s FORCE INDEX (PRIMARY) WHERE s.id > 5
SELECT id FROM a UNION SELECT id FROM b UNION ALL (SELECT id FROM c ORDER BY id LIMIT 1) ORDER BY id DESC LIMIT 10
SELECT CAST(a AS UNSIGNED), CONVERT(b, CHAR), CONVERT(c USING utf8mb4), CAST(d AS DECIMAL(10, 2)), CAST(e AS DATE), CAST(f AS JSON) FROM t
SELECT COUNT(*) FROM (SELECT DISTINCT user_id FROM orders) x
SELECT a FROM t WHERE b = (SELECT MAX(b) FROM t) AND c > ALL (SELECT d FROM u) AND EXISTS (SELECT 1 FROM v WHERE v.id = t.id)
SELECT NOW(6), CURRENT_TIMESTAMP(), UTC_TIMESTAMP(), SYSDATE(), LOCALTIME, CURRENT_USER(), CONNECTION_ID(), LAST_INSERT_ID()
SELECT * FROM orders ORDER BY FIELD(status, 'new', 'paid'), id
SELECT * FROM t ORDER BY a IS NULL, a DESC, RAND()
SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT
SELECT * FROM `my-table` WHERE `weird column` = 'x'
SELECT /*+ MAX_EXECUTION_TIME(1000) */ id FROM t
SELECT /* comment */ id -- trailing
SELECT @@version_comment LIMIT 1
SELECT @@session.tx_isolation, @@GLOBAL.read_only, @@autocommit
SELECT DATABASE(), USER(), VERSION()
SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'
SET sql_mode=(SELECT REPLACE(@@sql_mode,'ONLY_FULL_GROUP_BY',''))
SET autocommit=1, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES')
SET @@SESSION.SQL_LOG_BIN= 0
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ
SET time_zone = '+00:00', wait_timeout=28800, NAMES = 'x'
SET FOREIGN_KEY_CHECKS=0
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */
/*!40103 SET TIME_ZONE='+00:00' */
/*!40101 SET character_set_client = utf8 */
LOCK TABLES `users` WRITE
/*!40000 ALTER TABLE `users` ENABLE KEYS */
SHOW FULL COLUMNS FROM `users`
SHOW VARIABLES LIKE 'sql_mode'
SHOW CREATE TABLE `users`
SHOW TABLE STATUS WHERE Name = 'users'
SHOW INDEX FROM `users` FROM `shop`
SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'
SHOW SESSION VARIABLES WHERE Variable_name IN ('a', 'b')
EXPLAIN SELECT * FROM users WHERE id = 1
EXPLAIN FORMAT=TREE SELECT 1
ALTER TABLE `users` ADD `phone` varchar(20) NULL AFTER `email`, ADD UNIQUE `users_phone_unique`(`phone`)
ALTER TABLE users ADD CONSTRAINT fk_x FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE SET NULL ON UPDATE CASCADE
ALTER TABLE users MODIFY COLUMN name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '' COMMENT 'x', ALGORITHM=INSTANT
ALTER TABLE users DROP FOREIGN KEY fk_x, DROP INDEX fk_x
ALTER TABLE t ADD COLUMN full_name VARCHAR(100) GENERATED ALWAYS AS (CONCAT(a, ' ', b)) VIRTUAL
CREATE TABLE IF NOT EXISTS `users` (`id` bigint unsigned NOT NULL AUTO_INCREMENT, `email` varchar(255) NOT NULL, `meta` json DEFAULT NULL, `created_at` timestamp NULL DEFAULT CURRENT_TIMESTAMP, `role` enum('a','b') NOT NULL DEFAULT 'a', PRIMARY KEY (`id`), UNIQUE KEY `users_email_unique` (`email`), KEY `idx` (`created_at`,`role`) USING BTREE, CONSTRAINT `c` CHECK (`id` > 0)) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
CREATE TABLE t (a DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), b FLOAT(7,4), c DOUBLE PRECISION, d TINYINT(1), e VARBINARY(16), f POINT SRID 4326, g INT UNSIGNED ZEROFILL)
CREATE INDEX idx_users_email ON users (email(10))
CREATE FULLTEXT INDEX ft ON posts (title, body)
CREATE TABLE orders_2024 LIKE orders
CREATE TEMPORARY TABLE tmp AS SELECT id FROM users WHERE active = 1
CREATE TABLE t (id INT, d DATE) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE)
DROP TABLE IF EXISTS `users`
RENAME TABLE users TO users_old, users_new TO users
TRUNCATE TABLE logs
CREATE USER 'app'@'10.%' IDENTIFIED WITH mysql_native_password BY 'secret' REQUIRE X509 WITH MAX_CONNECTIONS_PER_HOUR 10 PASSWORD EXPIRE INTERVAL 90 DAY
GRANT SELECT, INSERT, UPDATE ON `shop`.* TO `app`@`10.%`
REVOKE INSERT ON shop.* FROM 'app'@'10.%'
START TRANSACTION READ ONLY
LOAD DATA LOCAL INFILE '/tmp/a.csv' INTO TABLE t FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' LINES TERMINATED BY '\r\n' IGNORE 1 ROWS (a, b, @c) SET c = NULLIF(@c, '')
CALL sp_report('2024-01-01', @total)
ANALYZE TABLE users, orders
OPTIMIZE TABLE logs
KILL QUERY 1234
FLUSH PRIVILEGES
CREATE OR REPLACE VIEW active_users AS SELECT id, email FROM users WHERE active = 1
CREATE TRIGGER upd BEFORE UPDATE ON t FOR EACH ROW BEGIN IF NEW.a <> OLD.a THEN SET NEW.b = NOW(); END IF; END
CREATE PROCEDURE p(IN x INT) BEGIN DECLARE done INT DEFAULT FALSE; DECLARE cur CURSOR FOR SELECT id FROM t; DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE; OPEN cur; l: LOOP FETCH cur INTO x; IF done THEN LEAVE l; END IF; END LOOP; CLOSE cur; END
