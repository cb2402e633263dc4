-- Rows are read where they are stored: every alignment, nulls anywhere, short and long headers,
-- compressed and out of line, columns dropped, and columns added after the row was.
CREATE TABLE t_stored (flag bool, big int8, tiny "char", id int PRIMARY KEY, gone text, small int2,
	pad char(3), f8 float8, n name, u uuid, v text, last int2, d date, long text);
INSERT INTO t_stored VALUES
	(true, 1, 'a', 1, 'gone', 2, 'x', 3.5, 'name', '00000000-0000-0000-0000-000000000001', 'v', 4,
	 '2020-02-02', 'long'),
	(null, null, null, 2, null, null, null, null, null, null, null, null, null, null),
	(false, 5, 'b', 3, 'gone', 6, 'yyy', 7.5, 'n', '00000000-0000-0000-0000-000000000003',
	 repeat('v', 126), 8, null, repeat('long', 30)),
	(true, null, 'c', 4, null, 9, 'z', null, 'm', null, repeat('v', 127), 10, '2021-01-01',
	 repeat('l', 100000));
INSERT INTO t_stored (id, gone, long)
	SELECT 5, 'gone', string_agg(md5(g::text), '') FROM generate_series(1, 500) g;
SELECT elvis.attach('t_stored', 'master', capture_unchanged => 1000000);

CREATE FUNCTION pg_temp.differing(found jsonb, expected jsonb) RETURNS text[] LANGUAGE sql AS
	$$ SELECT array_agg(k) FROM jsonb_object_keys(expected) k
	   WHERE found ->> k IS DISTINCT FROM expected ->> k $$;
CREATE TABLE was AS SELECT id, to_jsonb(t) AS row FROM t_stored t;
CREATE VIEW pg_temp.captured AS
	SELECT s.op, w.id, pg_temp.differing(s.before, w.row) AS before,
	       pg_temp.differing(s.after, to_jsonb(t)) AS after
	FROM test.stream() s LEFT JOIN was w ON w.id = (s.before ->> 'id')::int
	LEFT JOIN t_stored t ON t.id = (s.after ->> 'id')::int ORDER BY 1, 2;

SELECT test.mark();
UPDATE t_stored SET small = coalesce(small, 0) + 1, big = CASE WHEN id < 3 THEN 6 END,
	f8 = CASE WHEN id > 2 THEN 1 END;
SELECT test.mark();
SELECT * FROM pg_temp.captured;

-- nothing is rewritten: the rows lack what is new and keep what has gone
ALTER TABLE t_stored DROP COLUMN gone, ADD COLUMN added int DEFAULT 7, ADD COLUMN yes bool DEFAULT true,
	ADD COLUMN empty text;
TRUNCATE was;
INSERT INTO was SELECT id, to_jsonb(t) FROM t_stored t;
SELECT test.mark();
UPDATE t_stored SET v = coalesce(v, '') || 'v' WHERE id > 2;
INSERT INTO t_stored (id, added) VALUES (6, null);
DELETE FROM t_stored WHERE id = 1;
SELECT test.mark();
SELECT * FROM pg_temp.captured;

TRUNCATE was;
INSERT INTO was SELECT id, to_jsonb(t) FROM t_stored t;
SELECT test.mark();
UPDATE t_stored SET empty = 'e', added = id;
DELETE FROM t_stored;
SELECT test.mark();
SELECT op, id, before FROM pg_temp.captured WHERE op = 'delete' OR before IS NOT NULL;

SELECT elvis.detach('t_stored');
DROP VIEW pg_temp.captured;
DROP TABLE t_stored, was;
