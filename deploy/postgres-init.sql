-- Once, on an empty volume, by the image of PostgreSQL (deploy/compose.production.yml): the application's own role, which
-- is no superuser. One would walk through row-level security, and could undo the journal's grants.
\getenv password POSTGRES_PASSWORD

CREATE ROLE coordination LOGIN PASSWORD :'password';

CREATE DATABASE coordination OWNER coordination;

-- The password is the application's alone. The administrator comes in by the container's own socket, which asks for none:
--   podman compose --file deploy/compose.production.yml exec postgres psql --username postgres coordination
ALTER ROLE postgres PASSWORD NULL;

\connect coordination

CREATE EXTENSION pg_trgm;

CREATE EXTENSION btree_gist;
