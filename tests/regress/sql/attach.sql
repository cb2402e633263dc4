-- What can be attached, and what each role means.
\set VERBOSITY default
CREATE TEMP TABLE t_temporary (id int PRIMARY KEY);
CREATE UNLOGGED TABLE t_unlogged (id int PRIMARY KEY);
CREATE VIEW t_view AS SELECT 1 AS id;
CREATE TABLE t_deferrable (id int PRIMARY KEY DEFERRABLE, code text NOT NULL UNIQUE);
CREATE TABLE t_parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE t_part PARTITION OF t_parts FOR VALUES FROM (0) TO (10);
SELECT elvis.attach('t_temporary', 'master');
SELECT elvis.attach('t_unlogged', 'master');
SELECT elvis.attach('t_view', 'master');
SELECT elvis.attach('pg_class', 'master');
SELECT elvis.attach('elvis.node', 'master');
SELECT elvis.attach('t_part', 'master');
SELECT elvis.attach('t_deferrable', 'master');
SELECT elvis.attach('t_deferrable', 'owner', 't_deferrable_code_key');
SELECT elvis.attach('t_deferrable', 'master', 't_deferrable_code_key');
SELECT elvis.attach(NULL, 'master');
SELECT relid, role, key FROM elvis.attachment;
SELECT elvis.detach('t_deferrable');
SELECT elvis.detach('t_deferrable');
DROP TABLE t_unlogged, t_deferrable, t_parts;
DROP VIEW t_view;

-- A key by name must tell rows apart.
CREATE TABLE t_keys (a int NOT NULL, b int, c text NOT NULL);
CREATE UNIQUE INDEX k_nullable ON t_keys (b);
CREATE UNIQUE INDEX k_partial ON t_keys (a) WHERE a > 0;
CREATE UNIQUE INDEX k_expression ON t_keys (lower(c));
CREATE INDEX k_plain ON t_keys (a);
CREATE UNIQUE INDEX k_good ON t_keys (c, a) INCLUDE (b);
SELECT elvis.attach('t_keys', 'master', 'k_nullable');
SELECT elvis.attach('t_keys', 'master', 'k_partial');
SELECT elvis.attach('t_keys', 'master', 'k_expression');
SELECT elvis.attach('t_keys', 'master', 'k_plain');
SELECT elvis.attach('t_keys', 'master', 'k_missing');
-- Without one only INSERT and TRUNCATE are possible.
SELECT elvis.attach('t_keys', 'master');
INSERT INTO t_keys VALUES (1, 1, 'x');
UPDATE t_keys SET b = 2;
DELETE FROM t_keys;
SELECT elvis.attach('t_keys', 'master', 'k_good');
UPDATE t_keys SET b = 2;
DELETE FROM t_keys;
-- An index that stops being a key stops changes, not silently.
ALTER TABLE t_keys ALTER c DROP NOT NULL;
INSERT INTO t_keys VALUES (2, 2, 'y');
DELETE FROM t_keys;
SELECT elvis.detach('t_keys');
DROP TABLE t_keys;

-- Inheritance parents are attached alone.
CREATE TABLE t_parent (id int PRIMARY KEY);
CREATE TABLE t_child () INHERITS (t_parent);
SELECT elvis.attach('t_parent', 'master');
SELECT count(*) AS triggers_of_the_child FROM pg_trigger WHERE tgrelid = 't_child'::regclass;
SELECT elvis.detach('t_parent');
DROP TABLE t_parent, t_child;

-- Roles: a replica refuses users and lets replication pass; a relay captures too.
CREATE TABLE t_roles (id int PRIMARY KEY, v text);
CREATE FUNCTION pg_temp.triggers(regclass) RETURNS TABLE (trigger name, enabled "char")
	LANGUAGE sql AS
	$$ SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = $1 ORDER BY 1 $$;
SELECT elvis.attach('t_roles', 'replica');
SELECT * FROM pg_temp.triggers('t_roles');
INSERT INTO t_roles VALUES (1);
UPDATE t_roles SET v = 'x';
DELETE FROM t_roles;
TRUNCATE t_roles;
COPY t_roles FROM stdin;
\.
SET session_replication_role = replica;
INSERT INTO t_roles VALUES (1);
RESET session_replication_role;
SELECT test.mark();
SELECT elvis.attach('t_roles', 'relay');
SELECT * FROM pg_temp.triggers('t_roles');
INSERT INTO t_roles VALUES (2);
SET session_replication_role = replica;
INSERT INTO t_roles VALUES (2);
RESET session_replication_role;
SELECT elvis.attach('t_roles', 'master');
SELECT elvis.attach('t_roles', 'master');	-- again: nothing changes
SELECT * FROM pg_temp.triggers('t_roles');
INSERT INTO t_roles VALUES (3);
SELECT test.mark();
SELECT * FROM test.stream();
SELECT elvis.detach('t_roles');
SELECT * FROM pg_temp.triggers('t_roles');

-- Who may: the owner, and elvis_admin.
CREATE ROLE elvis_test_owner;
CREATE ROLE elvis_test_stranger;
CREATE ROLE elvis_test_admin IN ROLE elvis_admin;
GRANT USAGE ON SCHEMA elvis TO elvis_test_owner, elvis_test_stranger;
GRANT EXECUTE ON FUNCTION elvis.attach TO elvis_test_owner, elvis_test_stranger;
ALTER TABLE t_roles OWNER TO elvis_test_owner;
SET ROLE elvis_test_stranger;
SELECT elvis.attach('t_roles', 'master');
SET ROLE elvis_test_owner;
SELECT elvis.attach('t_roles', 'master');
INSERT INTO t_roles VALUES (4);		-- capture needs no rights of the user
SET ROLE elvis_test_admin;
SELECT elvis.detach('t_roles');
RESET ROLE;

-- The trigger function on a table that is not attached captures nothing for anybody.
CREATE TRIGGER elvis_capture AFTER INSERT ON t_roles FOR EACH ROW EXECUTE FUNCTION elvis.capture();
INSERT INTO t_roles VALUES (5);
SET ROLE elvis_test_owner;
CREATE TRIGGER mine AFTER INSERT ON t_roles FOR EACH ROW EXECUTE FUNCTION elvis.capture();
RESET ROLE;
DROP TABLE t_roles;
REVOKE ALL ON FUNCTION elvis.attach FROM elvis_test_owner, elvis_test_stranger;
REVOKE ALL ON SCHEMA elvis FROM elvis_test_owner, elvis_test_stranger;
DROP ROLE elvis_test_owner, elvis_test_stranger, elvis_test_admin;
