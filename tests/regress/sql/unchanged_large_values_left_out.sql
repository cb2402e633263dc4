-- B11: a status update of a row with a large document does not log the document.
CREATE TABLE t_large (id int PRIMARY KEY, status int, small text, doc text, packed text);
ALTER TABLE t_large ALTER doc SET STORAGE EXTERNAL;
SELECT elvis.attach('t_large', 'master');
INSERT INTO t_large SELECT 1, 0, 'small', repeat('x', 100000), repeat('packed', 100);
SELECT test.mark();
UPDATE t_large SET status = 1;
SELECT test.mark();
SELECT op, before - 'packed' AS before, after - 'packed' AS after FROM test.stream();
SELECT length(test.bytes(1000000)) < 2000 AS document_is_not_in_the_log;

-- A changed one is there, before and after, whole and decompressed; a deleted one is not,
-- unless it is in the row or in the key.
SELECT test.mark();
UPDATE t_large SET doc = repeat('y', 50000);
DELETE FROM t_large;
SELECT test.mark();
SELECT op, length(before ->> 'doc') AS before, length(after ->> 'doc') AS after,
       length(before ->> 'packed') AS packed FROM test.stream();

-- The table may want its values all the same.
SELECT elvis.attach('t_large', 'master', capture_unchanged => 200000);
INSERT INTO t_large SELECT 1, 0, 'small', repeat('x', 100000), NULL;
SELECT test.mark();
UPDATE t_large SET status = 1;
DELETE FROM t_large;
SELECT test.mark();
SELECT op, length(before ->> 'doc') AS before, length(after ->> 'doc') AS after FROM test.stream();
SELECT elvis.detach('t_large');
DROP TABLE t_large;
