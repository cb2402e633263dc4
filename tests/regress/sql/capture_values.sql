-- Every kind of value comes back as it went in.
CREATE SCHEMA "dotted.schema";
CREATE TYPE "dotted.schema".mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE "dotted.schema".pair AS (a int, b text);
CREATE DOMAIN "dotted.schema".positive AS int CHECK (value > 0);
CREATE TABLE "dotted.schema"."Tabelle ""ä"" 日本" (
	"select" int PRIMARY KEY,
	"größe" numeric,
	t text, vc varchar(10), ch char(5), nm name,
	b bytea, bl bool, i2 smallint, i8 bigint, f4 real, f8 float8, mo money,
	d date, ti time, tz timetz, ts timestamp, tstz timestamptz, iv interval,
	u uuid, mac macaddr, net inet, bits varbit,
	j json, jb jsonb,
	ai int[], at text[][], r int4range, mr int4multirange, p point, tsv tsvector,
	e "dotted.schema".mood, c "dotted.schema".pair, dom "dotted.schema".positive,
	ae "dotted.schema".mood[], rc regclass, o oid, l pg_lsn
);
SELECT elvis.attach('"dotted.schema"."Tabelle ""ä"" 日本"', 'master');
SELECT test.mark();
SET DateStyle = 'German';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = 0;
SET bytea_output = 'escape';
SET TimeZone = 'Asia/Kolkata';
INSERT INTO "dotted.schema"."Tabelle ""ä"" 日本" VALUES (
	1, 12345678901234567890.12300, E'a''b"c\\d\n', 'varchar', 'ch', 'a name',
	'\x00ff5c27', true, -32768, 9223372036854775807, 0.1, 0.1::float8 + 0.2, '12.34',
	'2024-02-29', '12:34:56.789', '12:34:56+05:30', '2024-02-29 12:34:56.123456',
	'2024-02-29 12:34:56.123456+00', '1 year 2 mons -3 days 04:05:06.7',
	'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '08:00:2b:01:02:03', '10.0.0.1/8', '10101',
	'{"a" : 1, "a": 2}', '{"b": [1, null, "x"]}',
	'{1,NULL,3}', '[2:3][1:1]={{a},{"b c"}}', '[1,5)', '{[1,3),[5,7)}', '(1,2)', 'a:1 b:2',
	'happy', '(7,"x,y")', 42, '{sad,ok}', 'pg_class', 4294967295, '16/B374D848');
INSERT INTO "dotted.schema"."Tabelle ""ä"" 日本" ("select", "größe", f8, d, tstz, ts, r, ai, t, b)
VALUES (2, 'NaN', '-Infinity', '-infinity', 'infinity', '-infinity', 'empty', '{}', '', ''),
       (3, '-Infinity', 'NaN', 'infinity', '4713-01-01 00:00:00+00 BC', 'infinity', '(,)', NULL, NULL, NULL),
       (4, -0.00001, '-0', '0044-03-15 BC', '294276-01-01+00', NULL, '[,5]', NULL, repeat('ä', 3000), NULL);
RESET DateStyle;
RESET IntervalStyle;
RESET extra_float_digits;
RESET bytea_output;
RESET TimeZone;
SELECT test.mark();
SELECT "table", op, k, v
FROM test.stream(), jsonb_each_text(after - 't') WITH ORDINALITY AS e (k, v, n)
WHERE v IS NOT NULL
ORDER BY (after ->> 'select')::int, k COLLATE "C";
SELECT after ->> 't' = repeat('ä', 3000) AS long_text FROM test.stream() WHERE after ->> 'select' = '4';

-- Updates hold what changed, NULL either way; the key may change.
SELECT test.mark();
UPDATE "dotted.schema"."Tabelle ""ä"" 日本" SET t = NULL, u = 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
WHERE "select" = 2;
UPDATE "dotted.schema"."Tabelle ""ä"" 日本" SET "select" = 20, t = 'back' WHERE "select" = 2;
UPDATE "dotted.schema"."Tabelle ""ä"" 日本" SET t = t WHERE "select" = 20;
DELETE FROM "dotted.schema"."Tabelle ""ä"" 日本" WHERE "select" <> 1;
SELECT test.mark();
SELECT op, before -> 'select' AS key, before -> 't' AS t, before -> 'u' AS u, after -> 'select' AS key,
       CASE WHEN length(after ->> 't') > 100 THEN NULL ELSE after -> 't' END AS t, after -> 'u' AS u
FROM test.stream() WHERE coalesce(before ->> 'select', '') IN ('2', '20');
SELECT op, count(*) FROM test.stream() GROUP BY op ORDER BY op;

-- Forms that travel further hold the same: text as the types print it under pinned settings.
SELECT test.mark();
SET DateStyle = 'German';
INSERT INTO "dotted.schema"."Tabelle ""ä"" 日本" ("select", d, b, "größe", e, ai, f8)
VALUES (5, '2024-02-29', '\x00ff', 1.50, 'ok', '{1,2}', 0.1);
RESET DateStyle;
SELECT test.mark();
SELECT position('2024-02-29'::bytea IN body) > 0 AS date,
       position('\x5c7830306666'::bytea IN body) > 0 AS bytea,
       position('1.50'::bytea IN body) > 0 AS numeric, position('{1,2}'::bytea IN body) > 0 AS array
FROM test.bytes(1000000, 'text') body;
SELECT position(int4send(5) IN body) > 0 AS int4, position(numeric_send(1.50) IN body) > 0 AS numeric,
       position(float8send(0.1) IN body) > 0 AS float8
FROM test.bytes(1000000, 'binary') body;
SELECT length(test.bytes(1, 'text')) = length(test.bytes(1000000, 'text')) AS pieces_add_up;
SELECT elvis.detach('"dotted.schema"."Tabelle ""ä"" 日本"');
DROP SCHEMA "dotted.schema" CASCADE;

-- Generated columns carry no value, dropped ones are no columns, identity is an ordinary one.
CREATE TABLE t_columns (
	gone text, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, also_gone int,
	doubled int GENERATED ALWAYS AS (a * 2) STORED
);
ALTER TABLE t_columns DROP COLUMN gone;
ALTER TABLE t_columns DROP COLUMN also_gone;
SELECT elvis.attach('t_columns', 'master');
SELECT test.mark();
INSERT INTO t_columns (a) VALUES (1), (2);
UPDATE t_columns SET a = a + 10;
ALTER TABLE t_columns ADD COLUMN fast text DEFAULT 'there before it was written';
UPDATE t_columns SET a = 0 WHERE id = 1;
SELECT test.mark();
SELECT * FROM test.stream();
SELECT elvis.detach('t_columns');
DROP TABLE t_columns;
