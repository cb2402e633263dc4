-- B3: a chunk that fills in a subtransaction cannot be written by its parent when the next one
-- begins; it is written before the subtransaction ends.
CREATE TABLE t_many (id int PRIMARY KEY, v text);
SELECT elvis.attach('t_many', 'master');
SELECT test.mark();
BEGIN;
DO $$
BEGIN
	FOR i IN 1..20000 LOOP
		BEGIN
			INSERT INTO t_many VALUES (i, repeat('x', 20));
		EXCEPTION WHEN others THEN
			RAISE;
		END;
	END LOOP;
END $$;
-- In the log before COMMIT: all but what a few chunks hold.
SELECT count(*) > 18000 AS written_before_commit FROM elvis.changes
WHERE xid = pg_current_xact_id();
COMMIT;
SELECT test.mark();
SELECT count(*), bool_and((after ->> 'id')::bigint = n) AS in_order
FROM test.stream() WITH ORDINALITY s ("table", op, before, after, n);
SELECT elvis.detach('t_many');
DROP TABLE t_many;
