-- A12: rows that come, go or change where no row trigger sees it leave a gap in the stream, and
-- partitions are covered from their first moment.
CREATE TABLE t_whole (id int, d date, v text, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
CREATE TABLE t_2020 PARTITION OF t_whole FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
SELECT elvis.attach('t_whole', 'master');
CREATE TABLE t_2021 PARTITION OF t_whole FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')
	PARTITION BY RANGE (id);
CREATE TABLE t_2021_a PARTITION OF t_2021 DEFAULT;
SELECT tgrelid::regclass AS table, tgname, tgenabled FROM pg_trigger
WHERE tgname ~ '^elvis' AND tgrelid::regclass::text ~ '^t_' ORDER BY 1, 2;

-- partitions' rows are the whole table's, with their own order of columns; a row that moves is
-- deleted and inserted
CREATE TABLE t_2022 (v text, d date NOT NULL, id int NOT NULL, PRIMARY KEY (id, d));
ALTER TABLE t_whole ATTACH PARTITION t_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
SELECT test.mark();
INSERT INTO t_whole VALUES (1, '2020-05-05', 'one'), (2, '2021-05-05', 'two'), (3, '2022-05-05', 'three');
INSERT INTO t_2021_a VALUES (4, '2021-06-06', 'four');
UPDATE t_whole SET v = upper(v);
UPDATE t_whole SET d = '2020-06-06' WHERE id = 3;
DELETE FROM t_2020 WHERE id = 1;
SELECT test.mark();
SELECT * FROM test.stream();

-- TRUNCATE: of the whole, with another table in the same statement; of parts, a gap
CREATE TABLE t_parent (id int PRIMARY KEY);
CREATE TABLE t_child (id int PRIMARY KEY REFERENCES t_parent);
SELECT elvis.attach('t_parent', 'master'), elvis.attach('t_child', 'master');
SELECT test.mark();
TRUNCATE t_parent, t_child, t_whole;
INSERT INTO t_parent VALUES (1);
TRUNCATE t_parent CASCADE;
TRUNCATE t_2020;
TRUNCATE t_2021;
SELECT test.mark();
SELECT * FROM test.stream();
-- tables of one statement are one record
SELECT test.changes();

-- partitions that come and go
CREATE TABLE t_2023 (id int NOT NULL, d date NOT NULL, v text, PRIMARY KEY (id, d));
INSERT INTO t_2023 VALUES (1, '2023-01-01', 'unseen');
CREATE TABLE t_2024 (LIKE t_2023 INCLUDING ALL);
INSERT INTO t_2022 (id, d) VALUES (9, '2022-09-09');
SELECT test.mark();
ALTER TABLE t_whole ATTACH PARTITION t_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
ALTER TABLE t_whole ATTACH PARTITION t_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE t_whole DETACH PARTITION t_2022;
DROP TABLE t_2021;
ALTER TABLE t_whole ALTER id TYPE bigint;
ALTER TABLE t_parent DISABLE TRIGGER elvis_capture;
ALTER TABLE t_child DISABLE TRIGGER USER;
DROP TABLE t_child;
SELECT elvis.attach('t_parent', 'master');
ALTER TRIGGER elvis_capture ON t_parent RENAME TO renamed;
SELECT elvis.attach('t_parent', 'master');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 't_parent'::regclass AND tgfoid = 'elvis.capture()'::regprocedure;
CREATE TRIGGER other AFTER INSERT ON t_parent EXECUTE FUNCTION suppress_redundant_updates_trigger();
DROP TRIGGER other ON t_parent;
DROP TRIGGER renamed ON t_parent;
SELECT test.mark();
SELECT "table", op, after FROM test.stream();
SELECT count(*) AS triggers_left FROM pg_trigger
WHERE tgrelid = 't_2022'::regclass AND tgname ~ '^elvis';
SELECT relid, role FROM elvis.attachment ORDER BY 1;
SELECT relid::regclass FROM elvis.partition ORDER BY 1;

-- attaching again puts the triggers right
SELECT elvis.attach('t_parent', 'master');
INSERT INTO t_parent VALUES (5);
SELECT test.mark();
SELECT "table", op, after FROM test.stream();

-- a partitioned table's key by name is its partitions' as well
CREATE TABLE t_named (id int, code text NOT NULL, v text, UNIQUE (code)) PARTITION BY LIST (code);
CREATE TABLE t_named_1 PARTITION OF t_named FOR VALUES IN ('a');
SELECT elvis.attach('t_named', 'master', 't_named_code_key');
CREATE TABLE t_named_2 PARTITION OF t_named FOR VALUES IN ('b');
SELECT test.mark();
INSERT INTO t_named VALUES (1, 'a', 'x'), (2, 'b', 'x');
UPDATE t_named SET v = 'y';
UPDATE t_named SET code = 'b' WHERE false;
DELETE FROM t_named;
SELECT test.mark();
SELECT op, before, after FROM test.stream();
SELECT elvis.detach('t_named');
SELECT count(*) AS triggers_left FROM pg_trigger
WHERE tgrelid::regclass::text ~ '^t_named' AND tgname ~ '^elvis';
DROP TABLE t_named;

-- what does not concern attached tables leaves no trace
SELECT test.mark();
CREATE TABLE t_other (id int) PARTITION BY RANGE (id);
CREATE TABLE t_other_1 PARTITION OF t_other DEFAULT;
INSERT INTO t_other VALUES (1);
TRUNCATE t_other_1;
CREATE TEMP TABLE t_temporary AS SELECT 1;
DROP TABLE t_other;
CREATE TABLE t_replica (id int PRIMARY KEY);
SELECT elvis.attach('t_replica', 'replica');
ALTER TABLE t_replica ALTER id TYPE bigint;
DROP TABLE t_replica;
SELECT test.mark();
SELECT * FROM test.stream();
DROP TABLE t_whole, t_2022, t_parent;
