"""What one national file lends to the rows of another, whichever was loaded first.

Addresses: an employee's line often names a FINESS number and no address. Mailboxes: the MSSanté file knows
people and structures by their numbers only.
"""

from __future__ import annotations

from coordination.directory.imports.staging import execute, scalar, temporary


def lend_addresses(changed_structures: str) -> int:
    """Copy name, address and telephone of the structures selected by `changed_structures` (SQL giving ids)."""
    return execute(
        "UPDATE directory_activity a SET address = t.address, postal_code = t.postal_code, town = t.town,"
        " commune_code = t.commune_code, phone = CASE WHEN a.phone = '' THEN t.phone ELSE a.phone END,"
        " structure_name = CASE WHEN a.structure_name = '' THEN t.name ELSE a.structure_name END"
        " FROM directory_structure t WHERE a.structure_id = t.id AND a.address_borrowed"
        f" AND t.id IN ({changed_structures}) AND (a.address, a.postal_code, a.town, a.commune_code)"
        " IS DISTINCT FROM (t.address, t.postal_code, t.town, t.commune_code)"
    )


def lend_mailboxes(people: str) -> None:
    """Give the people selected by `people` (SQL giving national identifiers) their personal mailboxes.

    A mailbox tied to a structure goes to the activity there, else to the person. The first in alphabetical
    order is shown where there are several.
    """
    if not scalar("SELECT EXISTS (SELECT 1 FROM directory_mailbox)"):
        return
    execute("ANALYZE directory_mailbox")
    execute(
        "UPDATE directory_professional p SET mss_address = coalesce(m.address, '') FROM"
        f" (SELECT w.national_id, min(b.address) AS address FROM ({people}) w LEFT JOIN directory_mailbox b"
        "  ON b.national_id = w.national_id AND b.ceased_at IS NULL AND b.kind = 'PER' GROUP BY w.national_id) m"
        " WHERE p.national_id = m.national_id AND p.national_id <> '' AND p.mss_address <> coalesce(m.address, '')"
    )
    execute(
        "UPDATE directory_activity a SET mss_address = coalesce(m.address, p.mss_address)"
        " FROM directory_professional p, (SELECT a.id, min(b.address) AS address"
        f" FROM ({people}) w JOIN directory_professional p ON p.national_id = w.national_id AND p.national_id <> ''"
        "  JOIN directory_activity a ON a.professional_id = p.id LEFT JOIN directory_structure t"
        "  ON t.id = a.structure_id LEFT JOIN directory_mailbox b ON b.national_id = p.national_id"
        "  AND b.ceased_at IS NULL AND b.kind = 'PER' AND b.structure_number <> ''"
        "  AND b.structure_number IN (t.finess, t.siret, t.siren, t.technical_id) GROUP BY a.id) m"
        " WHERE a.id = m.id AND p.id = a.professional_id AND a.mss_address <> coalesce(m.address, p.mss_address)"
    )


def lend_structure_mailboxes(structures: str) -> None:
    """Give the structures selected by `structures` (SQL giving ids) their organisation mailboxes."""
    if not scalar("SELECT EXISTS (SELECT 1 FROM directory_mailbox)"):
        return
    # Kept and counted step by step: a planner that ignores how many mailboxes have just come loops over all of them.
    execute("ANALYZE directory_mailbox")
    temporary("lent_to", f"SELECT DISTINCT id FROM ({structures}) chosen")
    temporary(
        "lent_numbers",
        "SELECT t.id, n.kind, n.number FROM lent_to w JOIN directory_structure t ON t.id = w.id CROSS JOIN LATERAL"
        " (VALUES ('1', t.finess), ('2', t.siren), ('3', t.siret), ('0', t.technical_id), ('4', t.technical_id))"
        " n(kind, number) WHERE n.number <> ''",
    )
    temporary(
        "lent",
        "SELECT n.id, min(b.address) AS address FROM lent_numbers n JOIN directory_mailbox b"
        " ON b.structure_number = n.number AND b.structure_id_type = n.kind AND b.kind = 'ORG'"
        " AND b.ceased_at IS NULL GROUP BY n.id",
    )
    execute(
        "UPDATE directory_structure t SET mss_address = coalesce(m.address, '') FROM lent_to w"
        " LEFT JOIN lent m ON m.id = w.id WHERE t.id = w.id AND t.mss_address <> coalesce(m.address, '')"
    )
    execute("DROP TABLE lent, lent_numbers, lent_to")
