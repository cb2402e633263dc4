-- Reading: whole transactions between two snapshots, in pieces of any size.
CREATE TABLE t_read (id int PRIMARY KEY, v text);
SELECT elvis.attach('t_read', 'master');
SELECT test.mark();
INSERT INTO t_read VALUES (1, 'one');
INSERT INTO t_read SELECT g, repeat('x', 200) FROM generate_series(2, 500) g;
INSERT INTO t_read VALUES (501, repeat('large', 100000));
UPDATE t_read SET v = 'two' WHERE id = 2;
SELECT test.mark();
SELECT id AS from_id, token AS from_token FROM test.mark ORDER BY n DESC OFFSET 1 LIMIT 1 \gset
SELECT id AS to_id, token AS to_token FROM test.mark ORDER BY n DESC LIMIT 1 \gset
\set batch :from_id , :from_token , :to_id , :to_token
SELECT test.bytes(1) = test.bytes(100000000) AS same_in_small_pieces,
       test.bytes(10000) = test.bytes(100000000) AS and_in_others;
SELECT finished, changes, inside FROM elvis.read(:batch, 0, 0, 100000000, 'stored');
-- a piece is not larger than wanted, unless a chunk is
SELECT finished, length(body) <= 9000 AS small, inside > 0 AS within_a_transaction
FROM elvis.read(:batch, 0, 0, 9000, 'stored');
SELECT seq AS first FROM elvis.read(:batch, 0, 0, 1, 'stored') \gset
-- a cursor within a transaction, and one that another session left
SELECT inside FROM elvis.read(:batch, :first, 0, 20000, 'stored') \gset
SELECT length(elvis.read(:batch, :first, :inside, 20000, 'stored')::text) AS length \gset
\c
SELECT length(elvis.read(:batch, :first, :inside, 20000, 'stored')::text) = :length AS same_in_another_session;
-- with so little memory that the batch must be collected several times
INSERT INTO t_read SELECT 1000, 'x';
DO $$
BEGIN
	FOR i IN 1..4000 LOOP
		UPDATE t_read SET v = i::text WHERE id = 1000;
		COMMIT;
	END LOOP;
END $$;
SELECT test.mark();
SELECT md5(test.bytes(50000)) AS whole \gset
\c
SET elvis.read_memory = 64;
SELECT md5(test.bytes(50000)) = :'whole' AS same_in_windows;
SELECT count(*), bool_and(after ->> 'v' = (n - 1)::text) AS in_order
FROM test.stream(50000) WITH ORDINALITY s ("table", op, before, after, n) WHERE n > 1;
RESET elvis.read_memory;

-- Nothing, and nonsense.
SELECT elvis.read(:to_id, :to_token, :to_id, :to_token, 0, 0, 100, 'stored');
\set VERBOSITY sqlstate
SELECT elvis.read(:to_id, :to_token, :from_id, :from_token, 0, 0, 100, 'stored');
\set VERBOSITY default
SELECT elvis.read(:batch, 0, 0, 100, 'csv');
SELECT elvis.read(:batch, 0, 0, 0, 'stored');
SELECT elvis.read(:batch, 0, -1, 100, 'stored');

-- A4: a snapshot is known by its token; one that was never taken, or another of that number,
-- means that the source was set back.
\set VERBOSITY sqlstate
SELECT elvis.read(:from_id, :from_token + 1, :to_id, :to_token, 0, 0, 100, 'stored');
SELECT elvis.read(:from_id, :from_token, 1000000, 1, 0, 0, 100, 'stored');
\set VERBOSITY default
SELECT elvis.snapshot_known(:from_id, :from_token) AS known,
       elvis.snapshot_known(:from_id, :from_token + 1) AS other,
       elvis.snapshot_known(1000000, 1) AS future;

-- B8: no predicate locks on the log.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT elvis.read(:batch, 0, 0, 100, 'stored');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT elvis.take_snapshot();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT elvis.wait_snapshot(0, 0, 0);
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT finished FROM elvis.read(:batch, 0, 0, 100000000, 'stored');
ROLLBACK;

-- C1, C2: by the index, however large the log is; and a batch of the present does not look at
-- the past.
SELECT test.mark();
INSERT INTO t_read VALUES (2000, 'last');
SELECT test.mark();
CREATE FUNCTION pg_temp.looked_at(OUT rows bigint, OUT scans bigint) LANGUAGE sql AS $$
	SELECT sum(pg_stat_get_xact_tuples_fetched(c.oid)), sum(pg_stat_get_xact_numscans(c.oid))
	FROM pg_class c WHERE c.relname ~ '^log_\d+$' AND c.relnamespace = 'elvis'::regnamespace
$$;
DO $$
DECLARE
	before record;
	after record;
BEGIN
	before := pg_temp.looked_at();
	PERFORM test.stream();
	after := pg_temp.looked_at();
	RAISE NOTICE 'sequential scans: %', after.scans - before.scans;
	RAISE NOTICE 'fewer than five rows of the log fetched: %', after.rows - before.rows < 5;
END $$;

-- An idle source writes nothing: no snapshot when nothing was captured.
SELECT test.mark();
SELECT id AS newest FROM test.mark ORDER BY n DESC LIMIT 1 \gset
SELECT id = :newest AS the_one_known, fresh FROM elvis.wait_snapshot(:newest, 0, 50);
CREATE TABLE t_not_attached (id int);
INSERT INTO t_not_attached VALUES (1);
SELECT id = :newest AS the_one_known, fresh FROM elvis.wait_snapshot(:newest, 0, 50);
INSERT INTO t_read VALUES (3000, 'new');
SELECT id = :newest + 1 AS a_new_one, fresh FROM elvis.wait_snapshot(:newest, 0, 1000);
SELECT id = :newest + 1 AS the_same, fresh FROM elvis.wait_snapshot(:newest, 0, 1000);
DROP TABLE t_not_attached;
SELECT elvis.detach('t_read');
DROP TABLE t_read;
