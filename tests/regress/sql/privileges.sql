-- Nothing of the extension is open to everybody.
\set VERBOSITY terse
CREATE FUNCTION pg_temp.open_to_public() RETURNS TABLE (what text) LANGUAGE sql AS $$
	SELECT 'function ' || p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'elvis'::regnamespace
	  AND has_function_privilege('public', p.oid, 'execute')
	UNION ALL
	SELECT 'relation ' || c.oid::regclass
	FROM pg_class c
	WHERE c.relnamespace = 'elvis'::regnamespace
	  AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
	  AND CASE c.relkind
		WHEN 'S' THEN has_sequence_privilege('public', c.oid, 'usage, select, update')
		ELSE has_table_privilege('public', c.oid, 'select, insert, update, delete, truncate')
	      END
	ORDER BY 1
$$;
SELECT * FROM pg_temp.open_to_public();

-- The query finds what is open.
CREATE TABLE elvis.hole (a int);
GRANT SELECT ON elvis.hole TO public;
SELECT * FROM pg_temp.open_to_public();
DROP TABLE elvis.hole;
