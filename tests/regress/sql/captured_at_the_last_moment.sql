-- C3: what a module writes at commit after elvis has written its chunks is in the log as well.
\set builddir `echo $ELVIS_BUILDDIR`
\set module :builddir '/tests/regress/.libs/late_writer.so'
CREATE TABLE t_last (id serial PRIMARY KEY, v text);
SELECT elvis.attach('t_last', 'master');
SELECT test.mark();
-- a session that knows the module before it knows elvis
\c
LOAD :'module';
SET late_writer.statement = $$INSERT INTO t_last (v) VALUES ('late')$$;
INSERT INTO t_last (v) VALUES ('first');
BEGIN;
SAVEPOINT a;
INSERT INTO t_last (v) SELECT repeat('x', 1000) FROM generate_series(1, 20);
ROLLBACK TO a;
INSERT INTO t_last (v) VALUES ('second');
COMMIT;
CREATE TABLE t_elsewhere (id int);
RESET late_writer.statement;
SELECT test.mark();
SELECT op, after - 'id' AS after FROM test.stream();
SELECT count(*) FROM t_last;
SELECT elvis.detach('t_last');
DROP TABLE t_last, t_elsewhere;
