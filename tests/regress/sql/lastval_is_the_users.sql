-- Capture draws numbers too, in the user's transaction; lastval() does not tell them, be it the
-- number of a table's version, of a full chunk, or of one written at commit.
CREATE TABLE t_serial (id serial PRIMARY KEY, v text);
SELECT elvis.attach('t_serial', 'master');
ALTER TABLE t_serial ADD COLUMN another int;
BEGIN;
INSERT INTO t_serial (v) VALUES ('by hand');
SELECT lastval();
COMMIT;
SELECT lastval();
INSERT INTO t_serial (v) SELECT repeat('x', 1000) FROM generate_series(1, 1000);
SELECT lastval();

-- and its own never repeat, though the log is told of them by the dozen
DO $$
BEGIN
	FOR i IN 1 .. 100 LOOP
		INSERT INTO t_serial (v) VALUES ('one');
		COMMIT;
	END LOOP;
END
$$;
SELECT lastval();
CREATE FUNCTION pg_temp.numbers(OUT chunks bigint, OUT numbers bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*), count(DISTINCT seq) FROM elvis.log_%s',
		       (SELECT last_value FROM elvis.segment_current)) INTO chunks, numbers;
END
$$;
SELECT chunks = numbers AS distinct FROM pg_temp.numbers();
SELECT elvis.detach('t_serial');
DROP TABLE t_serial;
