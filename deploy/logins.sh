#!/bin/sh
# Run once by the image of PostgreSQL in a new database: the two logins that `manage.py database_roles` grants to.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set app="$(cat /run/secrets/app_password)" --set sealer="$(cat /run/secrets/sealer_password)" <<'SQL'
CREATE ROLE plumbline_app LOGIN PASSWORD :'app';
CREATE ROLE plumbline_sealer LOGIN PASSWORD :'sealer';
CREATE ROLE plumbline_auditor NOLOGIN;
ALTER ROLE plumbline_app SET jit = off;
ALTER ROLE plumbline_app SET max_parallel_workers_per_gather = 0;
SQL
