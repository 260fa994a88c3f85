-- The shop that every test's database holds. Each protected value holds the word "whisper", or is a number that
-- occurs nowhere else, so that a leak can be found by looking for it.
CREATE TABLE users (
  id INT PRIMARY KEY, name VARCHAR(50) NOT NULL, email VARCHAR(100) NOT NULL UNIQUE, ssn VARCHAR(20) NOT NULL,
  diagnosis TEXT NOT NULL, pin INT NOT NULL, profile JSON NOT NULL, photo BLOB NOT NULL
);
INSERT INTO users
SELECT seq, CONCAT('user ', seq), CONCAT('whisper', seq, '@mail.example'), CONCAT('900-11-000', seq),
       CONCAT('whisper-', seq), 77000 + seq, JSON_OBJECT('who', CONCAT('whisper-', seq)), CONCAT('whisper', seq)
FROM seq_1_to_5;
CREATE TABLE orders (
  id INT PRIMARY KEY, user_id INT, total DECIMAL(10, 2) NOT NULL, status VARCHAR(20) NOT NULL, placed DATETIME(6)
);
INSERT INTO orders SELECT seq, 1 + seq % 5, 10 * seq, 'new', '2026-01-02 03:04:05.6' FROM seq_1_to_20;
CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, body TEXT);
CREATE VIEW patients AS SELECT id, diagnosis AS what, name FROM users;
CREATE VIEW loudest AS SELECT name, MAX(diagnosis) AS what FROM users GROUP BY name;
DELIMITER //
CREATE PROCEDURE two_results() BEGIN SELECT id FROM orders WHERE id < 3; SELECT COUNT(*) FROM orders; END //
DELIMITER ;
