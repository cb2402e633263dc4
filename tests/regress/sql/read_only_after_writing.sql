-- B4: a transaction that is set READ ONLY after it has written commits what it wrote.
CREATE TABLE t_read_only (id int PRIMARY KEY);
SELECT elvis.attach('t_read_only', 'master');
SELECT test.mark();
BEGIN;
INSERT INTO t_read_only VALUES (1);
SET TRANSACTION READ ONLY;
COMMIT;
BEGIN;
INSERT INTO t_read_only VALUES (2);
SET TRANSACTION READ ONLY;
PREPARE TRANSACTION 'elvis_read_only';
COMMIT PREPARED 'elvis_read_only';
SELECT test.mark();
SELECT op, after FROM test.stream();
SELECT elvis.detach('t_read_only');
DROP TABLE t_read_only;
