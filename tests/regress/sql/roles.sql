-- A9: elvis_daemon runs everything that the daemon runs, elvis_admin what an administrator does,
-- with nothing but these roles; nobody writes the log but the triggers.
CREATE ROLE elvis_test_daemon IN ROLE elvis_daemon;
CREATE ROLE elvis_test_admin IN ROLE elvis_admin;
CREATE ROLE elvis_test_user;
CREATE TABLE t_user (id int PRIMARY KEY, v text);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_user TO elvis_test_user;

SET ROLE elvis_test_admin;
SELECT elvis.attach('t_user', 'master');
SELECT id, genuine FROM elvis.node_state();
SELECT count(*) > 0 AS snapshot FROM elvis.take_snapshot();

-- A user's change is captured with no right of his on anything of elvis.
SET ROLE elvis_test_user;
INSERT INTO t_user VALUES (1, 'x');
SELECT * FROM elvis.changes;
INSERT INTO elvis.log_1 VALUES ('1', 1, '');
SELECT elvis.take_snapshot();

SET ROLE elvis_test_daemon;
SELECT id, genuine FROM elvis.node_state();
SELECT elvis.signature() IS NOT NULL AS signature;
SELECT id, token FROM elvis.subscribe('00000000-0000-0000-0000-00000000000a', 'link', 'lyon') \gset from_
SET ROLE elvis_test_user;
UPDATE t_user SET v = 'y';
SET ROLE elvis_test_daemon;
SELECT id, token FROM elvis.wait_snapshot(:from_id, 0, 1000) \gset to_
SELECT changes, finished FROM elvis.read(:from_id, :from_token, :to_id, :to_token, 0, 0, 100000, 'text');
SELECT elvis.describe(max(id), true) IS NOT NULL AS described FROM elvis.relation;
SELECT elvis.snapshot_known(:to_id, :to_token);
SELECT elvis.confirm('00000000-0000-0000-0000-00000000000a', :to_id, :to_token, 0, 0, 0);
SELECT elvis.set_link_state('00000000-0000-0000-0000-00000000000a', 'paused', 'lunch');
SELECT elvis.upkeep();
SELECT name, state, reason FROM elvis.subscriber;
SELECT needed_by FROM elvis.segments WHERE current;
SELECT count(*) > 0 AS attached FROM elvis.attachment;
SELECT elvis.unsubscribe('00000000-0000-0000-0000-00000000000a');
-- but not what is an administrator's, or nobody's
SELECT * FROM elvis.changes;
SELECT elvis.attach('t_user', 'relay');
SELECT elvis.gap(1, 'none');
SELECT elvis.make_segment(1000);
DELETE FROM elvis.node;

SET ROLE elvis_test_admin;
SELECT op, after FROM elvis.changes WHERE "table" = 'public.t_user';
SELECT elvis.detach('t_user');
RESET ROLE;
DROP TABLE t_user;
DROP ROLE elvis_test_daemon, elvis_test_admin, elvis_test_user;
