-- The log holds what commits, in the order in which it was done.
CREATE TABLE t_sub (id int PRIMARY KEY, v text);
SELECT elvis.attach('t_sub', 'master');

SELECT test.mark();
BEGIN;
INSERT INTO t_sub VALUES (1, 'kept');
SAVEPOINT a;
INSERT INTO t_sub VALUES (2, 'kept');
SAVEPOINT b;
INSERT INTO t_sub VALUES (3, 'rolled back');
ROLLBACK TO b;
INSERT INTO t_sub VALUES (4, 'kept');
RELEASE a;
SAVEPOINT c;
INSERT INTO t_sub VALUES (5, 'rolled back');
SAVEPOINT d;
INSERT INTO t_sub VALUES (6, 'rolled back');
RELEASE d;
ROLLBACK TO c;
INSERT INTO t_sub VALUES (7, 'kept');
COMMIT;
BEGIN;
INSERT INTO t_sub VALUES (8, 'rolled back');
ROLLBACK;
SELECT test.mark();
SELECT op, after FROM test.stream();

-- With chunks written and rolled back in between.
CREATE FUNCTION pg_temp.fill(int, int) RETURNS void LANGUAGE sql AS
	$$ INSERT INTO t_sub SELECT g, repeat('x', 100) FROM generate_series($1, $2) g $$;
SELECT test.mark();
BEGIN;
INSERT INTO t_sub VALUES (100, 'parent, before');
SAVEPOINT a;
SELECT pg_temp.fill(1000, 1999);
SAVEPOINT b;
SELECT pg_temp.fill(2000, 2999);
ROLLBACK TO b;
SELECT pg_temp.fill(3000, 3999);
RELEASE a;
INSERT INTO t_sub VALUES (101, 'parent, after');
SAVEPOINT c;
SELECT pg_temp.fill(4000, 4999);
ROLLBACK TO c;
COMMIT;
SELECT test.mark();
SELECT min(n) AS from, max(n) AS to, min(id), max(id), count(*)
FROM (SELECT n, (after ->> 'id')::int AS id
      FROM test.stream(1) WITH ORDINALITY s ("table", op, before, after, n)) s
GROUP BY id / 1000 ORDER BY 1;

-- EXCEPTION blocks.
SELECT test.mark();
DO $$
BEGIN
	FOR i IN 1..20 LOOP
		BEGIN
			INSERT INTO t_sub VALUES (10000 + i, 'x');
			IF i % 3 = 0 THEN
				RAISE EXCEPTION 'no';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			INSERT INTO t_sub VALUES (20000 + i, 'handler');
		END;
	END LOOP;
END $$;
SELECT test.mark();
SELECT string_agg(after ->> 'id', ' ' ORDER BY n) FROM test.stream()
	WITH ORDINALITY s ("table", op, before, after, n);

-- Two phases: handed out when committed, as one, and never when rolled back.
BEGIN;
INSERT INTO t_sub VALUES (30, 'prepared');
SAVEPOINT a;
INSERT INTO t_sub VALUES (31, 'prepared');
RELEASE a;
PREPARE TRANSACTION 'elvis_one';
BEGIN;
INSERT INTO t_sub VALUES (32, 'never');
PREPARE TRANSACTION 'elvis_two';
SELECT test.mark();
INSERT INTO t_sub VALUES (33, 'while they wait');
SELECT test.mark();
SELECT op, after FROM test.stream();
SELECT held_by FROM elvis.segments WHERE current;
COMMIT PREPARED 'elvis_one';
ROLLBACK PREPARED 'elvis_two';
SELECT test.mark();
SELECT op, after FROM test.stream();

-- Many short subtransactions are put together; times do not stand still for that.
SELECT test.mark();
DO $$
BEGIN
	FOR i IN 1 .. 20 LOOP
		BEGIN
			INSERT INTO t_sub VALUES (700000 + i, 'short');
			PERFORM pg_sleep(0.005);
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT test.mark();
SELECT count(*), max(at) - min(at) > '60 ms' AS passes FROM elvis.changes
WHERE "table" = 'public.t_sub' AND after ->> 'v' = 'short';

-- COMMIT in a procedure, deferred triggers that write at commit.
CREATE PROCEDURE pg_temp.twice() LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t_sub VALUES (40, 'first');
	COMMIT;
	INSERT INTO t_sub VALUES (41, 'second');
END $$;
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN UPDATE t_sub SET v = v || ', at commit' WHERE id = new.id; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t_sub DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION at_commit();
SELECT test.mark();
CALL pg_temp.twice();
SELECT test.mark();
SELECT op, after FROM test.stream();
DROP TRIGGER late ON t_sub;
DROP FUNCTION at_commit;

SELECT elvis.detach('t_sub');
DROP TABLE t_sub;

-- whose changes these are is forgotten with the savepoint that said so, and only with that
CREATE TABLE t_whose (id int PRIMARY KEY);
SELECT elvis.attach('t_whose', 'master');
BEGIN;
SAVEPOINT a;
SELECT elvis.begin_copy(7);
INSERT INTO t_whose VALUES (1);
ROLLBACK TO a;
INSERT INTO t_whose VALUES (2);
SAVEPOINT b;
SELECT elvis.begin_copy(8);
SAVEPOINT c;
INSERT INTO t_whose VALUES (3);
ROLLBACK TO c;
INSERT INTO t_whose VALUES (4);
RELEASE b;
INSERT INTO t_whose VALUES (5);
COMMIT;
INSERT INTO t_whose VALUES (6);
SELECT after, origin FROM elvis.changes WHERE "table" = 'public.t_whose' ORDER BY after ->> 'id';
SELECT elvis.detach('t_whose');
DROP TABLE t_whose;

-- Many savepoints, one within the other, of which some write much and some are rolled back.
CREATE TABLE t_nest (n int, depth int, v text, PRIMARY KEY (n));
SELECT elvis.attach('t_nest', 'master');
CREATE SEQUENCE pg_temp.n;
CREATE FUNCTION pg_temp.put(depth int, v text) RETURNS void LANGUAGE sql AS
	$$ INSERT INTO t_nest VALUES (nextval('pg_temp.n'), $1, $2) $$;
CREATE FUNCTION pg_temp.nest(depth int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.put(depth, 'down');
	IF depth % 50 = 7 THEN
		PERFORM pg_temp.put(depth, repeat('x', 1000)) FROM generate_series(1, 30);
	END IF;
	IF depth < 200 THEN
		PERFORM pg_temp.nest(depth + 1);
	END IF;
	PERFORM pg_temp.put(depth, 'up');
	IF depth % 7 = 0 THEN
		RAISE division_by_zero;
	END IF;
EXCEPTION WHEN division_by_zero THEN
	PERFORM pg_temp.put(depth, 'caught');
END $$;
SELECT test.mark();
BEGIN;
SELECT pg_temp.nest(101), pg_temp.nest(101);
COMMIT;
SELECT test.mark();
WITH stream AS (
	SELECT (after ->> 'n')::int AS n, number
	FROM test.stream() WITH ORDINALITY s ("table", op, before, after, number))
SELECT count(*) = (SELECT count(*) FROM t_nest) AS all_of_it,
       array_agg(n ORDER BY number) = array_agg(n ORDER BY n) AS in_order
FROM stream;
SELECT elvis.detach('t_nest');
DROP TABLE t_nest;
