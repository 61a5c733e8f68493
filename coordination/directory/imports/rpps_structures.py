"""Structures named by the activity lines: linked to FINESS when it knows them, else created from the line."""

from __future__ import annotations

from datetime import date, datetime

from coordination.directory.imports.runs import Counts
from coordination.directory.imports.staging import execute, new_id, temporary


def merge_structures(day: date, now: datetime) -> Counts:
    """Find or create the structure of each key; one that FINESS knows is used as it is (no double)."""
    # A line with an address is better than the first one met. By sets: an OR over a NOT EXISTS looks row by row.
    temporary("better", "SELECT DISTINCT skey FROM stage WHERE sflag = 2")
    temporary(
        "places",
        "SELECT s.n, s.skey, s.finess, coalesce(f.id, k.id) AS found, coalesce(f.source, k.source) AS source FROM"
        " (SELECT n, skey, finess FROM stage WHERE sflag = 2 UNION ALL SELECT a.n, a.skey, a.finess FROM stage a"
        "  LEFT JOIN better b ON b.skey = a.skey WHERE a.sflag = 1 AND b.skey IS NULL) s"
        " LEFT JOIN directory_structure f ON f.finess = s.finess AND f.finess <> '' AND s.finess <> ''"
        " LEFT JOIN directory_structure k ON k.source_key = s.skey AND k.source_key <> ''",
    )
    # Two technical identifiers may carry the same FINESS number: one structure. Of rows that had none and are given
    # the same at once, the first takes it; the others' people follow at their next change.
    temporary(
        "structure_ids",
        "SELECT p.skey, p.n, p.source, p.finess <> '' AS lends,"
        " row_number() OVER (PARTITION BY p.finess ORDER BY p.found IS NOT NULL, p.n) = 1 AS is_numbered,"
        f" coalesce(p.found, {new_id('coalesce(same.n, p.n)')}) AS id,"
        " p.found IS NULL AND coalesce(same.n, p.n) = p.n AS is_new FROM places p LEFT JOIN"
        " (SELECT finess, min(n) AS n FROM places WHERE finess <> '' AND found IS NULL GROUP BY finess) same"
        " ON same.finess = p.finess AND p.finess <> ''",
    )
    new = execute(
        "INSERT INTO directory_structure (id, source, kind, finess, finess_ej, siren, siret, technical_id,"
        " source_key, name, short_name, search_name, category, sector, legal_status, address, postal_code, town,"
        " commune_code, phone, phone_as_given, email, mss_address, manager_name, seen_on, content_hash, created_at)"
        " SELECT i.id, 'rpps', 'eg', s.finess::varchar(9), s.finess_ej::varchar(9), s.siren::varchar(9),"
        " s.siret::varchar(14), s.technical::varchar(40), s.skey::varchar(60), s.sname::varchar(200),"
        " CASE WHEN s.trade_name = s.sname THEN '' ELSE s.trade_name::varchar(80) END, s.ssearch::varchar(300), '',"
        " s.sector::varchar(6), '', s.address::varchar(300), s.postal_code::varchar(10), s.town::varchar(80),"
        " s.commune_code::varchar(5), s.phone, '', s.email, '', '', %s, s.shash, %s"
        " FROM stage s JOIN structure_ids i USING (n) WHERE i.is_new",
        [day, now],
    )
    changed = execute(
        # What a partner alone knew is the file's from now on.
        "UPDATE directory_structure t SET source = 'rpps',"
        " finess = CASE WHEN t.finess = '' AND i.is_numbered THEN s.finess::varchar(9) ELSE t.finess"
        " END, finess_ej = s.finess_ej::varchar(9), siren = s.siren::varchar(9), siret = s.siret::varchar(14),"
        " technical_id = s.technical::varchar(40), name = s.sname::varchar(200),"
        " short_name = CASE WHEN s.trade_name = s.sname THEN '' ELSE s.trade_name::varchar(80) END,"
        " search_name = s.ssearch::varchar(300), sector = s.sector::varchar(6), address = s.address::varchar(300),"
        " postal_code = s.postal_code::varchar(10), town = s.town::varchar(80),"
        " commune_code = s.commune_code::varchar(5), phone = s.phone, email = s.email, seen_on = %s,"
        " content_hash = s.shash FROM stage s JOIN structure_ids i USING (n)"
        " WHERE t.id = i.id AND NOT i.is_new AND i.source IN ('rpps', 'partenaire')"
        " AND t.content_hash IS DISTINCT FROM s.shash"
        # A line without address does not take away the address another line gave.
        " AND NOT (s.address = '' AND s.postal_code = '' AND t.postal_code <> '')",
        [day],
    )
    changed += execute(
        "UPDATE directory_structure t SET ceased_at = NULL FROM structure_ids i"
        " WHERE t.id = i.id AND i.source = 'rpps' AND t.ceased_at IS NOT NULL"
    )
    execute(
        "UPDATE directory_structure t SET technical_id = s.technical::varchar(40) FROM stage s"
        " JOIN structure_ids i USING (n) WHERE t.id = i.id AND i.source <> 'rpps' AND t.technical_id = ''"
        " AND s.technical <> ''"
    )
    return Counts(new, changed)


def cease_empty_structures(now: datetime) -> int:
    """Mark ceased the RPPS structures that lost their last activity in this load (`touched_structures`)."""
    return execute(
        "UPDATE directory_structure t SET ceased_at = %s FROM (SELECT DISTINCT id FROM touched_structures) d"
        " WHERE t.id = d.id AND t.source = 'rpps' AND t.ceased_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM directory_activity a WHERE a.structure_id = d.id AND a.ceased_at IS NULL)",
        [now],
    )
