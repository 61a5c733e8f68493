"""The rows a decision is made of, in SQL: read here, decided in `habilitations.access`."""

# Asked by every page of a dossier: in SQL, prepared (through the ORM it costs ten times as much to build as to run).
# A refusal stands until it is withdrawn, even once the member has left.
_GRANTS = """
SELECT h.id, h.state, h.user_id, h.structure_id, (SELECT max(number) FROM habilitations_matrixversion),
    v.profession, v.fonction, v.national_id, v.structure_id, v.structure_name, v.how, h.access_until,
    ARRAY(
        SELECT c.rubrique || '=' || c.niveau FROM habilitations_ceiling c
        WHERE c.dossier_id = h.dossier_id AND c.habilitation_id = h.id AND c.lifted_at IS NULL
    ),
    (SELECT max(number) FROM habilitations_catalogchange)
FROM habilitations_habilitation h
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = {user} AND v.ended_at IS NULL
WHERE h.dossier_id = {dossier} AND (h.ended_at IS NULL OR h.state = 'refus' AND h.user_id IS NOT NULL)
    AND (h.user_id = {user} OR h.structure_id IN (
        SELECT d.structure_id FROM habilitations_delegate d
        JOIN habilitations_legalstructure l ON l.structure_id = d.structure_id AND l.closed_at IS NULL
        WHERE d.user_id = {user} AND d.ended_at IS NULL
    ))
    AND EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = {user} AND u.is_active)
"""
TO_DOSSIER = _GRANTS.format(dossier="%(dossier)s", user="%(user)s")
OF_DOSSIER = _GRANTS.format(dossier="dossier.id", user="%(user)s")
ROW = (
    "id", "state", "user_id", "structure_id", "matrix_number", "hat_profession", "hat_fonction", "hat_national_id",
    "hat_structure_id", "hat_structure_name", "hat_how", "access_until", "ceilings",
    "catalog_number",
)  # fmt: skip

# The same rows for each account that may have some.
ABLE = f"""
SELECT somebody.id, grants.* FROM (
    SELECT h.user_id AS id FROM habilitations_habilitation h
    WHERE h.dossier_id = %(dossier)s AND h.user_id IS NOT NULL
    UNION
    SELECT d.user_id FROM habilitations_habilitation h
    JOIN habilitations_delegate d ON d.structure_id = h.structure_id AND d.ended_at IS NULL
    WHERE h.dossier_id = %(dossier)s
) somebody
CROSS JOIN LATERAL ({_GRANTS.format(dossier="%(dossier)s", user="somebody.id")}) grants
"""  # noqa: S608 - our own names

# Whether a ceiling closes `{rubrique}` for `{user}` in `{dossier}`: `access.closed_to`, about columns.
CLOSED_TO = """EXISTS (
    SELECT 1 FROM habilitations_ceiling x JOIN habilitations_habilitation y ON y.id = x.habilitation_id
    WHERE x.dossier_id = {dossier} AND x.rubrique = '{rubrique}' AND x.niveau = 0 AND x.lifted_at IS NULL
        AND y.ended_at IS NULL AND (y.user_id = {user} OR y.structure_id IN (
            SELECT z.structure_id FROM habilitations_delegate z WHERE z.user_id = {user} AND z.ended_at IS NULL
        ))
)"""
