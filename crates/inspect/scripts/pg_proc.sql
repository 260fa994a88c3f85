-- Every function of pg_catalog by name: kinds, volatilities, and whether every one of that name is a support
-- function (takes or gives internal, cstring or a handler), which no statement can usefully call.
-- psql -XAtF' ' -f scripts/pg_proc.sql > src/pg/pg_proc_15.txt
SELECT p.proname, string_agg(DISTINCT p.prokind::text, '' ORDER BY p.prokind::text), string_agg(DISTINCT p.provolatile::text, '' ORDER BY p.provolatile::text),
 CASE WHEN bool_and(p.prorettype IN ('internal'::regtype,'trigger'::regtype,'event_trigger'::regtype,'language_handler'::regtype,'fdw_handler'::regtype,'index_am_handler'::regtype,'tsm_handler'::regtype,'table_am_handler'::regtype) OR 'internal'::regtype = ANY(p.proargtypes::oid[]) OR 'cstring'::regtype = ANY(p.proargtypes::oid[]) OR p.prorettype='cstring'::regtype) THEN 'support' ELSE 'plain' END
FROM pg_proc p WHERE p.pronamespace='pg_catalog'::regnamespace GROUP BY 1 ORDER BY 1;
