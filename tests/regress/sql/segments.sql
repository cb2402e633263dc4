-- B2, B6: the log goes on in a new segment by size; an old one is dropped, with its snapshots,
-- when nobody who wrote into it runs and everybody has confirmed a snapshot that saw all of it.
CREATE TABLE t_log (id int PRIMARY KEY, v text);
SELECT elvis.attach('t_log', 'master');
CREATE VIEW pg_temp.state AS
	SELECT n - min(n) OVER () AS n, current, quiet_at IS NOT NULL AS quiet, needed_by
	FROM elvis.segments ORDER BY n;
SELECT n AS base FROM elvis.segments WHERE current \gset
SET elvis.segment_size = '1MB';
SET elvis.keep_confirmed = 0;
SELECT id, token FROM elvis.subscribe('00000000-0000-0000-0000-000000000001', 'link one', 'lyon') \gset one_
INSERT INTO t_log SELECT g, repeat('x', 1000) FROM generate_series(1, 2000) g;
SELECT elvis.upkeep();
SELECT elvis.upkeep();
SELECT elvis.upkeep();
SELECT * FROM pg_temp.state;

-- the batch lies in two segments
INSERT INTO t_log SELECT g, 'y' FROM generate_series(2001, 2010) g;
SELECT id, token FROM elvis.take_snapshot() \gset two_
SELECT changes, finished
FROM elvis.read(:one_id, :one_token, :two_id, :two_token, 0, 0, 100000000, 'stored');

-- kept for whoever has not confirmed, whatever others have
SELECT id, token FROM elvis.subscribe('00000000-0000-0000-0000-000000000002', 'link two', 'nice') \gset three_
SELECT elvis.upkeep();
SELECT n, current, needed_by FROM pg_temp.state;
SELECT elvis.confirm('00000000-0000-0000-0000-000000000001', :two_id, :two_token, 0, 0, 0);
SELECT state, confirmed_id = :two_id AS confirmed FROM elvis.subscriber ORDER BY link;
SET elvis.keep_confirmed = '1h';
SELECT elvis.upkeep();
SELECT count(*) AS kept_for_a_while FROM elvis.segments WHERE n = :base;
SET elvis.keep_confirmed = 0;
SELECT elvis.upkeep();
SELECT count(*) AS dropped FROM elvis.segments WHERE n = :base;
SELECT to_regclass('elvis.log_' || :base), to_regclass('elvis.snapshot_' || :base);

-- A5: a position from before what is kept is told so, never started from the oldest there is
\set VERBOSITY sqlstate
SELECT elvis.read(:one_id, :one_token, :two_id, :two_token, 0, 0, 100, 'stored');
\set VERBOSITY default
SELECT elvis.snapshot_known(:two_id, :two_token);

-- A dead subscriber is detached, loudly, and may come back from here.
SET elvis.subscriber_limit = '1MB';
INSERT INTO t_log SELECT g, repeat('x', 1000) FROM generate_series(3001, 5000) g;
SELECT elvis.upkeep();
SELECT elvis.upkeep();
SELECT elvis.confirm('00000000-0000-0000-0000-000000000002', id, token, 0, 0, 0)
FROM elvis.take_snapshot();
\set VERBOSITY terse
SELECT elvis.upkeep();
\set VERBOSITY default
SELECT name, state, detached_at IS NOT NULL AS detached, reason ~ 'elvis.subscriber_limit' AS says_why
FROM elvis.subscriber ORDER BY link;
SELECT elvis.confirm('00000000-0000-0000-0000-000000000001', :two_id, :two_token, 0, 0, 0);
SELECT id FROM elvis.subscribe('00000000-0000-0000-0000-000000000001', 'link one', 'lyon') \gset again_
SELECT name, state, detached_at IS NOT NULL AS detached, confirmed_id = :again_id AS from_here FROM elvis.subscriber ORDER BY link;
RESET elvis.subscriber_limit;

SELECT elvis.set_link_state('00000000-0000-0000-0000-000000000001', 'stopped', 'by a test');
SELECT name, state, reason FROM elvis.subscriber WHERE name = 'link one' ORDER BY link;
SELECT elvis.set_link_state('00000000-0000-0000-0000-000000000009', 'stopped', 'by a test');
SELECT elvis.unsubscribe('00000000-0000-0000-0000-000000000001');
SELECT elvis.unsubscribe('00000000-0000-0000-0000-000000000002');
SELECT count(*) FROM elvis.subscriber;
SELECT elvis.detach('t_log');
DROP TABLE t_log;
