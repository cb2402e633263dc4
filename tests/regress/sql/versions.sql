-- A13: a change refers to the shape its table had, whatever became of the table or of the
-- transaction that saw the shape first.
CREATE TABLE t_shape (id int PRIMARY KEY, a text);
SELECT elvis.attach('t_shape', 'master');
SELECT test.mark();
INSERT INTO t_shape VALUES (1, 'text');
ALTER TABLE t_shape RENAME a TO b;
INSERT INTO t_shape VALUES (2, 'renamed');
ALTER TABLE t_shape ADD c int DEFAULT 7;
INSERT INTO t_shape VALUES (3, 'added');
ALTER TABLE t_shape DROP b;
UPDATE t_shape SET c = 8 WHERE id = 1;
ALTER TABLE t_shape ALTER c TYPE text;
UPDATE t_shape SET c = 'nine' WHERE id = 1;
CREATE SCHEMA elsewhere;
ALTER TABLE t_shape SET SCHEMA elsewhere;
INSERT INTO elsewhere.t_shape VALUES (4, 'moved');
ALTER SCHEMA elsewhere RENAME TO nowhere;
INSERT INTO nowhere.t_shape VALUES (5, 'its schema renamed');
ALTER TABLE nowhere.t_shape RENAME TO t_form;
INSERT INTO nowhere.t_form VALUES (6, 'renamed');
SELECT test.mark();
SELECT * FROM test.stream();

-- a shape written by a savepoint that was rolled back
SELECT test.mark();
BEGIN;
SAVEPOINT s;
ALTER TABLE nowhere.t_form ADD d int;
INSERT INTO nowhere.t_form VALUES (7, 'never', 1);
ROLLBACK TO s;
ALTER TABLE nowhere.t_form ADD d int;
INSERT INTO nowhere.t_form VALUES (7, 'seven', 2);
COMMIT;
BEGIN;
ALTER TABLE nowhere.t_form ADD e int;
INSERT INTO nowhere.t_form VALUES (8, 'never', 2, 3);
ROLLBACK;
INSERT INTO nowhere.t_form VALUES (8, 'eight', 3);
BEGIN;
ALTER TABLE nowhere.t_form ADD e int;
INSERT INTO nowhere.t_form VALUES (9, 'nine', 3, 4);
PREPARE TRANSACTION 'elvis_shape';
ROLLBACK PREPARED 'elvis_shape';
ALTER TABLE nowhere.t_form ADD e int;
INSERT INTO nowhere.t_form VALUES (9, 'nine', 3, 5);
SELECT test.mark();
SELECT * FROM test.stream();

-- a shape that a savepoint wrote and found again after one inside of it had written another
SELECT test.mark();
BEGIN;
ALTER SCHEMA nowhere RENAME TO somewhere;
SAVEPOINT s;
INSERT INTO somewhere.t_form VALUES (10, 'never');
SAVEPOINT t;
ALTER TABLE somewhere.t_form ADD g int;
INSERT INTO somewhere.t_form VALUES (11, 'never');
ROLLBACK TO t;
INSERT INTO somewhere.t_form VALUES (12, 'never');
RELEASE t;
ROLLBACK TO s;
INSERT INTO somewhere.t_form VALUES (13, 'in the end');
ALTER SCHEMA somewhere RENAME TO nowhere;
COMMIT;
SELECT test.mark();
SELECT * FROM test.stream();

-- a type that is renamed or grows does not tell its tables
CREATE TYPE colour AS ENUM ('red');
ALTER TABLE nowhere.t_form ADD f colour;
SELECT test.mark();
INSERT INTO nowhere.t_form (id, f) VALUES (20, 'red');
ALTER TYPE colour ADD VALUE 'blue';
INSERT INTO nowhere.t_form (id, f) VALUES (21, 'blue');
ALTER TYPE colour RENAME TO color;
ALTER TYPE color RENAME VALUE 'red' TO 'rouge';
INSERT INTO nowhere.t_form (id, f) VALUES (22, 'rouge');
SELECT test.mark();
SELECT after -> 'id' AS id, after -> 'f' AS f FROM test.stream();
SELECT position('public.color' IN encode(descriptor, 'escape')) > 0 AS type_renamed
FROM elvis.relation WHERE relid = 'nowhere.t_form'::regclass ORDER BY id DESC LIMIT 2;

-- the log outlives the table
SELECT test.mark();
INSERT INTO nowhere.t_form (id, c) VALUES (30, 'last');
DROP TABLE nowhere.t_form;
SELECT test.mark();
SELECT * FROM test.stream();
DROP SCHEMA nowhere;
DROP TYPE color;
