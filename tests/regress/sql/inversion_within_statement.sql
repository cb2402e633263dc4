-- A6: what functions and triggers do within a statement is captured before the statement's own
-- changes; the stream has them in the order in which they were made.
CREATE TABLE t_order (k int PRIMARY KEY, v int);
INSERT INTO t_order VALUES (10, 0), (11, 0);
SELECT elvis.attach('t_order', 'master');

-- a function updates a row that the statement has updated already
CREATE FUNCTION pg_temp.add_100(int) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN UPDATE t_order SET v = v + 100 WHERE k = $1; RETURN 0; END $$;
SELECT test.mark();
UPDATE t_order SET v = v + CASE WHEN k = 11 THEN pg_temp.add_100(10) ELSE 1 END;
SELECT test.mark();
-- the hazard is there: as captured
SELECT op, before, after FROM elvis.changes WHERE xid = (SELECT xid FROM elvis.changes ORDER BY xid DESC LIMIT 1);
-- as handed out
SELECT op, before, after FROM test.stream();
SELECT * FROM t_order ORDER BY k;

-- twice, so that late changes follow late changes
CREATE FUNCTION pg_temp.add_twice(int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	UPDATE t_order SET v = v + CASE WHEN k = 11 THEN pg_temp.add_100(10) ELSE 1 END
	WHERE k IN (10, 11);
	RETURN 0;
END $$;
INSERT INTO t_order VALUES (12, 0);
SELECT test.mark();
UPDATE t_order SET v = v + CASE WHEN k = 12 THEN pg_temp.add_twice(10) ELSE 1 END WHERE k <> 11;
SELECT test.mark();
SELECT op, before, after FROM test.stream(1);

-- an INSERT whose row is updated before it is captured
CREATE FUNCTION pg_temp.bump(int) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN UPDATE t_order SET v = v + 1 WHERE k < $1; RETURN 0; END $$;
SELECT test.mark();
INSERT INTO t_order SELECT k, CASE WHEN k = 2 THEN pg_temp.bump(2) ELSE 0 END
FROM generate_series(1, 2) k;
SELECT test.mark();
SELECT op, before, after FROM test.stream();

-- a trigger puts a row of the key back that the statement deletes
CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO t_order VALUES (old.k, old.v + 1000); RETURN NULL; END $$;
CREATE TRIGGER a_before_elvis AFTER DELETE ON t_order FOR EACH ROW WHEN (old.v < 1000)
	EXECUTE FUNCTION put_back();
SELECT test.mark();
DELETE FROM t_order WHERE k IN (10, 11);
SELECT test.mark();
SELECT op, before, after FROM elvis.changes WHERE xid = (SELECT xid FROM elvis.changes ORDER BY xid DESC LIMIT 1);
SELECT op, before, after FROM test.stream();

-- likewise of a row made by the same transaction
SELECT test.mark();
BEGIN;
INSERT INTO t_order VALUES (50, 1);
DELETE FROM t_order WHERE k = 50;
COMMIT;
SELECT test.mark();
SELECT op, before, after FROM test.stream();
DROP TRIGGER a_before_elvis ON t_order;

-- a key that is given up and taken within one statement
CREATE FUNCTION pg_temp.take(int) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO t_order VALUES ($1, -1); RETURN 0; END $$;
SELECT test.mark();
WITH moved AS (UPDATE t_order SET k = 99 WHERE k = 50 RETURNING k)
SELECT pg_temp.take(50) FROM moved;
SELECT test.mark();
SELECT op, before, after FROM test.stream();

-- nothing of this in a savepoint that was rolled back
SELECT test.mark();
BEGIN;
UPDATE t_order SET v = 1 WHERE k = 99;
SAVEPOINT s;
UPDATE t_order SET v = v + CASE WHEN k = 99 THEN pg_temp.add_100(11) ELSE 1 END WHERE k IN (11, 99);
ROLLBACK TO s;
UPDATE t_order SET v = 2 WHERE k = 99;
COMMIT;
SELECT test.mark();
SELECT op, before, after FROM test.stream();

-- or of a transaction of which nothing is left
SELECT test.mark();
BEGIN;
SAVEPOINT s;
UPDATE t_order SET v = v + CASE WHEN k = 99 THEN pg_temp.add_100(11) ELSE 1 END WHERE k IN (11, 99);
INSERT INTO t_order SELECT k, 0 FROM generate_series(1000, 1999) k;
ROLLBACK TO s;
COMMIT;
SELECT test.mark();
SELECT length(test.bytes(1)) AS nothing_at_all, test.changes();

-- what a foreign key deletes elsewhere is no reason to look closer
CREATE TABLE t_referring (k int PRIMARY KEY, o int REFERENCES t_order ON DELETE CASCADE);
SELECT elvis.attach('t_referring', 'master');
INSERT INTO t_order VALUES (200, 0);
INSERT INTO t_referring VALUES (1, 200), (2, 200);
SELECT test.mark();
DELETE FROM t_order WHERE k = 200;
SELECT test.mark();
SELECT "table", op, before FROM test.stream();
SELECT last_value AS segment FROM elvis.segment_current \gset
SELECT get_byte(body, 1) & 2 AS marked FROM elvis.log_:segment ORDER BY seq DESC LIMIT 1;
SELECT elvis.detach('t_referring');
DROP TABLE t_referring;

-- a long transaction of this kind comes in the same order in small pieces
SELECT test.mark();
BEGIN;
INSERT INTO t_order SELECT k, 0 FROM generate_series(1000, 1999) k;
UPDATE t_order SET v = v + CASE WHEN k = 1999 THEN pg_temp.bump(1999) ELSE 1 END WHERE k >= 1000;
COMMIT;
SELECT test.mark();
SELECT bool_and(after = jsonb_build_object('k', k, 'v', 1)) AS first, count(*)
FROM (SELECT *, (after ->> 'k')::int AS k,
	     row_number() OVER (PARTITION BY after ->> 'k' ORDER BY n) AS nth
      FROM test.stream(1) WITH ORDINALITY s ("table", op, before, after, n)
      WHERE op = 'update') s
WHERE nth = 1 AND k BETWEEN 1000 AND 1998;
SELECT elvis.detach('t_order');
DROP TABLE t_order;
DROP FUNCTION put_back;
