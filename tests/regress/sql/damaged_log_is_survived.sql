-- Whatever bytes are in the log: an error, told apart from others where they are not what capture
-- writes, and never a crash.
CREATE TABLE t_damaged (id int PRIMARY KEY, t text, n numeric, j jsonb, a int[], ts timestamptz,
			b bytea, i inet, r int4range, v varbit);
SELECT elvis.attach('t_damaged', 'master');
SELECT test.mark();
BEGIN;
INSERT INTO t_damaged VALUES (1, 'text', 123.456, '{"a": [1, "x"]}', '{1,2,3}', 'infinity', '\x0102',
			      '10.0.0.1/8', '[1,5)', '101');
UPDATE t_damaged SET t = 'other', n = 'NaN', j = NULL;
UPDATE t_damaged SET id = 2, a = '{}';
DELETE FROM t_damaged;
INSERT INTO t_damaged (id) VALUES (5);
TRUNCATE t_damaged;
COMMIT;
SELECT test.mark();
SELECT last_value AS segment FROM elvis.segment_current \gset
SELECT seq AS last, body AS good FROM elvis.log_:segment ORDER BY seq DESC LIMIT 1 \gset

-- reading another batch makes the session forget where this one's chunks were
CREATE FUNCTION pg_temp.reread(portable text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elvis.read(m.id, m.token, m.id, m.token, 0, 0, 1, 'stored')
	FROM (SELECT * FROM test.mark ORDER BY n DESC LIMIT 1) m;
	RETURN length(test.bytes(100000, portable));
END $$;
\set VERBOSITY sqlstate
-- another format, cut off, without its last chunk, without a context
UPDATE elvis.log_:segment SET body = set_byte(:'good', 0, 9) WHERE seq = :last;
SELECT pg_temp.reread('stored');
UPDATE elvis.log_:segment SET body = substr(:'good'::bytea, 1, 50) WHERE seq = :last;
SELECT pg_temp.reread('text');
UPDATE elvis.log_:segment SET body = set_byte(:'good', 1, 0) WHERE seq = :last;
SELECT pg_temp.reread('stored');
UPDATE elvis.log_:segment SET body = '\x0101' WHERE seq = :last;
SELECT pg_temp.reread('stored') AS nothing_in_it;
UPDATE elvis.log_:segment SET body = '' WHERE seq = :last;
SELECT pg_temp.reread('stored');
DELETE FROM elvis.log_:segment WHERE seq = :last;
SELECT pg_temp.reread('stored') AS nothing;
\set VERBOSITY default

-- at random: decoded, and read as text, put right or not
CREATE FUNCTION pg_temp.damaged(body bytea) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 1 + (random() * 3)::int LOOP
		body := set_byte(body, 2 + (random() * (length(body) - 3))::int, (random() * 255)::int);
	END LOOP;
	RETURN CASE WHEN random() < 0.2 THEN substr(body, 1, 2 + (random() * length(body))::int)
		    ELSE body END;
END $$;
CREATE FUNCTION pg_temp.try(statement text, good bytea, times int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told int := 0;
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			EXECUTE statement USING pg_temp.damaged(good);
		EXCEPTION WHEN others THEN
			told := told + (sqlstate = 'EL004')::int;
		END;
	END LOOP;
	RETURN CASE WHEN told > times / 10 THEN 'survived, and often told' ELSE told::text END;
END $$;
SELECT setseed(0.42);
SELECT pg_temp.try('SELECT count(*) FROM elvis.decode(''0'', $1)', :'good', 3000);
INSERT INTO t_damaged (id) VALUES (6);
SELECT test.mark();
SELECT seq AS last FROM elvis.log_:segment ORDER BY seq DESC LIMIT 1 \gset
UPDATE elvis.log_:segment SET body = :'good' WHERE seq = :last;
DO $$
DECLARE
	segment text := (SELECT last_value FROM elvis.segment_current);
	good bytea;
	last bigint;
	fine int := 0;
	told int := 0;
BEGIN
	EXECUTE format('SELECT seq FROM elvis.log_%s ORDER BY seq DESC LIMIT 1', segment) INTO last;
	EXECUTE format('SELECT body FROM elvis.log_%s WHERE seq = %s', segment, last) INTO good;
	FOR i IN 1 .. 300 LOOP
		EXECUTE format('UPDATE elvis.log_%s SET body = set_byte($1, 1, 1 + 2 * ($2 %% 2)) WHERE seq = %s',
			       segment, last) USING pg_temp.damaged(good), i;
		BEGIN
			PERFORM pg_temp.reread(CASE i % 3 WHEN 0 THEN 'text' ELSE 'stored' END);
			fine := fine + 1;
		EXCEPTION WHEN others THEN
			told := told + (sqlstate = 'EL004')::int;
		END;
	END LOOP;
	IF fine < 10 OR told < 10 THEN
		RAISE EXCEPTION '% fine, % told', fine, told;
	END IF;
END $$;
SELECT elvis.detach('t_damaged');
DROP TABLE t_damaged;
