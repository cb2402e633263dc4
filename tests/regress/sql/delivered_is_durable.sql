-- A4: nothing is delivered that a crash of the source could take back, whatever
-- synchronous_commit says: the snapshot it lies before is flushed.
CREATE TABLE t_durable (id int PRIMARY KEY);
SELECT elvis.attach('t_durable', 'master');
SET synchronous_commit = off;
INSERT INTO t_durable VALUES (1);
SELECT pg_current_wal_insert_lsn() AS written \gset
SELECT count(*) FROM elvis.take_snapshot();
SELECT pg_current_wal_flush_lsn() >= :'written' AS flushed;
SHOW synchronous_commit;
RESET synchronous_commit;
SELECT elvis.detach('t_durable');
DROP TABLE t_durable;
