-- A database becomes a node once, and nothing works before.
CREATE TABLE early (id int PRIMARY KEY);
SELECT elvis.attach('early', 'master');
SELECT elvis.take_snapshot();
SELECT genuine, detail FROM elvis.node_state();
DROP TABLE early;

SELECT elvis.setup_node(1, 'paris');
SELECT elvis.setup_node(1, 'Paris', 7);		-- again: the name may change
SELECT elvis.setup_node(2, 'lyon');		-- the number may not
SELECT id, name, genuine, detail FROM elvis.node_state();
SELECT elvis.signature() ~ '^record 1, PostgreSQL \d+, (little|big) endian, UTF8, IEEE floats$';

-- A copy of the database is not the node.
CREATE TABLE copied (id int PRIMARY KEY);
SELECT elvis.attach('copied', 'master');
UPDATE elvis.node SET system_identifier = system_identifier + 1;
SELECT elvis.node_changed();
INSERT INTO copied VALUES (1);
SELECT elvis.take_snapshot();
SELECT elvis.read(1, 1, 2, 2, 0, 0, 100, 'stored');
SELECT elvis.setup_node(1, 'paris');
SELECT genuine FROM elvis.node_state();
-- It takes the node's place (failover, restore) or becomes another one.
SELECT elvis.same_node();
INSERT INTO copied VALUES (1);
SELECT elvis.adopt_node(1, 'lyon');
SELECT incarnation AS before FROM elvis.node \gset
SELECT elvis.adopt_node(2, 'lyon');
SELECT id, name, incarnation <> :before AS new_incarnation FROM elvis.node;
SELECT count(*) AS changes_of_the_other_node FROM elvis.changes;
INSERT INTO copied VALUES (2);
SELECT "table", op, after, origin FROM elvis.changes;
SELECT elvis.detach('copied');
DROP TABLE copied;

-- What the tests of capture and reading share: the stream between two marks, as rows.
CREATE SCHEMA test;
CREATE TABLE test.mark (n serial, id bigint, token bigint);
CREATE FUNCTION test.mark() RETURNS void LANGUAGE sql AS $$
	INSERT INTO test.mark (id, token) SELECT id, token FROM elvis.take_snapshot()
$$;
-- all pieces of the batch between the last two marks, put together
CREATE FUNCTION test.bytes(piece int, portable text DEFAULT 'stored') RETURNS bytea
	LANGUAGE plpgsql AS $$
DECLARE
	f test.mark;
	t test.mark;
	part record;
	body bytea := '';
	seq bigint := 0;
	inside bigint := 0;
BEGIN
	SELECT * INTO f FROM test.mark ORDER BY n DESC OFFSET 1 LIMIT 1;
	SELECT * INTO t FROM test.mark ORDER BY n DESC LIMIT 1;
	LOOP
		SELECT * INTO part
		FROM elvis.read(f.id, f.token, t.id, t.token, seq, inside, piece, portable);
		body := body || part.body;
		EXIT WHEN part.finished;
		IF (part.seq, part.inside) <= (seq, inside) THEN
			RAISE EXCEPTION 'no progress at %, %', seq, inside;
		END IF;
		seq := part.seq;
		inside := part.inside;
	END LOOP;
	RETURN body;
END
$$;
-- how many changes they say they hold
CREATE FUNCTION test.changes() RETURNS bigint LANGUAGE sql AS $$
	SELECT r.changes
	FROM (SELECT * FROM test.mark ORDER BY n DESC OFFSET 1 LIMIT 1) f,
	     (SELECT * FROM test.mark ORDER BY n DESC LIMIT 1) t,
	     elvis.read(f.id, f.token, t.id, t.token, 0, 0, 100000000, 'stored') r
$$;
CREATE FUNCTION test.stream(piece int DEFAULT 10000000)
	RETURNS TABLE ("table" text, op text, before jsonb, after jsonb) LANGUAGE sql AS $$
	SELECT "table", op, before, after FROM elvis.decode('0', '\x0101' || test.bytes(piece))
$$;
