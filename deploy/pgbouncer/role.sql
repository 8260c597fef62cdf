-- Settings of the role of openbooking behind PgBouncer. Run this as a superuser: psql --file role.sql
ALTER ROLE openbooking SET client_min_messages = warning;
ALTER ROLE openbooking SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE openbooking SET lock_timeout = '10s';
ALTER ROLE openbooking SET plan_cache_mode = force_generic_plan;
ALTER ROLE openbooking SET enable_seqscan = off;
ALTER ROLE openbooking SET enable_hashjoin = off;
ALTER ROLE openbooking SET enable_mergejoin = off;
ALTER ROLE openbooking SET jit = off;
