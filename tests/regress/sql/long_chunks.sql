-- Large records: chunks that go on in several rows of the log, cut anywhere.
CREATE TABLE t_long (id int PRIMARY KEY, n int NOT NULL, v text);
ALTER TABLE t_long ALTER v SET STORAGE EXTERNAL;
SELECT elvis.attach('t_long', 'master');
CREATE FUNCTION pg_temp.body(id int, length int) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$ SELECT left(repeat(md5(id::text), length / 32 + 1), length) $$;
SELECT n AS segment FROM elvis.segments WHERE current \gset
SELECT coalesce(max(seq), 0) AS last FROM elvis.log_:segment \gset

-- Of every length about one row and two, among small ones.
SELECT test.mark();
INSERT INTO t_long SELECT g, 0, pg_temp.body(g, 7900 + g % 400) FROM generate_series(1, 400) g;
INSERT INTO t_long SELECT g, 0, pg_temp.body(g, (g - 401) * 617 % 50000) FROM generate_series(401, 600) g;
INSERT INTO t_long SELECT g, 0, pg_temp.body(g, CASE g % 3 WHEN 0 THEN 16300 ELSE 100 END)
FROM generate_series(601, 1000) g;
INSERT INTO t_long VALUES (1001, 0, pg_temp.body(1001, 3000000));
SELECT test.mark();
SELECT test.bytes(1) = test.bytes(100000000) AS same_in_small_pieces,
       test.bytes(50000) = test.bytes(100000000) AS and_in_others;
SELECT count(*), bool_and(t.v = s.after ->> 'v') AS whole
FROM test.stream(100000) s JOIN t_long t ON t.id = (s.after ->> 'id')::int;
SELECT count(*), bool_and(t.v = c.after ->> 'v') AS whole
FROM elvis.changes c JOIN t_long t ON t.id = (c.after ->> 'id')::int WHERE c."table" = 'public.t_long';
-- The rows are full, and nothing lies out of line.
SELECT avg(length(body)) > 7000 AS full, max(length(body)) <= 8090 AS none_too_long,
       count(*) = count(DISTINCT seq) AS numbered
FROM elvis.log_:segment WHERE seq > :last;
SELECT pg_relation_size(reltoastrelid) AS out_of_line FROM pg_class
WHERE oid = ('elvis.log_' || :segment)::regclass;

-- What is rolled back is gone; what is written before its subtransaction ends is there once.
SELECT test.mark();
BEGIN;
INSERT INTO t_long VALUES (2000, 0, pg_temp.body(2000, 20000));
SAVEPOINT s;
INSERT INTO t_long SELECT g, 1, pg_temp.body(g, 40000) FROM generate_series(2001, 2020) g;
ROLLBACK TO s;
DO $$
BEGIN
	FOR i IN 2001..2010 LOOP
		BEGIN
			INSERT INTO t_long SELECT i * 100 + g, 2, pg_temp.body(i * 100 + g, 20000)
			FROM generate_series(1, 20) g;
			IF i % 2 = 0 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$;
INSERT INTO t_long VALUES (2001, 3, pg_temp.body(2001, 20000));
COMMIT;
SELECT test.mark();
SELECT (s.after ->> 'n')::int AS n, count(*), bool_and(t.v = s.after ->> 'v') AS whole
FROM test.stream(100000) s LEFT JOIN t_long t ON t.id = (s.after ->> 'id')::int GROUP BY 1 ORDER BY 1;

-- Captured in the wrong order, and put right.
CREATE FUNCTION pg_temp.late(int) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN UPDATE t_long SET v = pg_temp.body(-1, 30000) WHERE id = $1; RETURN 5; END $$;
SELECT test.mark();
UPDATE t_long SET n = CASE WHEN id = 2001 THEN pg_temp.late(2000) ELSE 4 END, v = pg_temp.body(-2, 25000)
WHERE id IN (2000, 2001);
SELECT test.mark();
SELECT s.after ->> 'id' AS id, s.after ->> 'n' AS n, length(s.after ->> 'v')
FROM test.stream(1) s;
SELECT elvis.detach('t_long');
DROP TABLE t_long;
