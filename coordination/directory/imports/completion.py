"""What one national file lends to the rows of another, whichever was loaded first.

Addresses: an employee's line often names a FINESS number and no address. Mailboxes: the MSSanté file knows
people and structures by their numbers only.
"""

from __future__ import annotations

from coordination.directory.imports.staging import execute, scalar, temporary
from coordination.directory.models import Source


def lend_addresses(changed_structures: str) -> int:
    """Copy name, address and telephone of structures to the activities that borrow them.

    `changed_structures`: SQL giving id, phone and name, these two as they were before. A telephone or a name that is
    still the former one was borrowed too, and follows.
    """
    phone = "CASE WHEN a.phone IN ('', c.phone) THEN t.phone ELSE a.phone END"
    name = "CASE WHEN a.structure_name IN ('', c.name) THEN t.name ELSE a.structure_name END"
    return execute(
        "UPDATE directory_activity a SET address = t.address, postal_code = t.postal_code, town = t.town,"
        f" commune_code = t.commune_code, phone = {phone}, structure_name = {name}"
        f" FROM ({changed_structures}) c JOIN directory_structure t USING (id)"
        " WHERE a.structure_id = t.id AND a.address_borrowed"
        " AND (a.address, a.postal_code, a.town, a.commune_code, a.phone, a.structure_name)"
        f" IS DISTINCT FROM (t.address, t.postal_code, t.town, t.commune_code, {phone}, {name})"
    )


# Only what a correspondence file gave is taken back: an address that none of its mailboxes ever had was said by
# somebody else (a regional file, a person, a partner).
_GIVEN = "mss_address IN (SELECT address FROM directory_mailbox)"


def lend_mailboxes(people: str) -> None:
    """Give the people selected by `people` (SQL giving national identifiers) their personal mailboxes.

    A mailbox tied to a structure is that of the activity there, and of no other; where the person has no activity
    in that structure, it is the person's (directories.md A.6). The first in alphabetical order is shown where there
    are several.
    """
    if not scalar("SELECT EXISTS (SELECT 1 FROM directory_mailbox)"):
        return
    execute("ANALYZE directory_mailbox")
    temporary(
        "owners",
        "SELECT p.id, p.national_id FROM directory_professional p JOIN"
        f" (SELECT DISTINCT national_id FROM ({people}) chosen) w USING (national_id) WHERE p.national_id <> ''",
    )
    temporary(
        "owned",
        "SELECT w.id AS owner, b.id, b.address, b.structure_number FROM owners w JOIN directory_mailbox b"
        " ON b.national_id = w.national_id AND b.kind = 'PER' AND b.ceased_at IS NULL",
    )
    temporary(
        "tied",
        "SELECT a.id AS activity, o.id, o.address FROM owned o JOIN directory_activity a"
        " ON a.professional_id = o.owner AND a.ceased_at IS NULL"
        " JOIN directory_structure t ON t.id = a.structure_id WHERE o.structure_number <> ''"
        " AND o.structure_number IN (t.finess, t.siret, t.siren, t.technical_id)",
    )
    execute(
        "UPDATE directory_professional p SET mss_address = m.address FROM"
        " (SELECT w.id, coalesce(min(o.address), '') AS address FROM owners w LEFT JOIN"
        "  (SELECT o.owner, o.address FROM owned o LEFT JOIN tied t ON t.id = o.id WHERE t.id IS NULL) o"
        "  ON o.owner = w.id GROUP BY w.id) m WHERE p.id = m.id AND p.mss_address <> m.address"
        f" AND (m.address <> '' OR p.{_GIVEN})"
    )
    execute(
        "UPDATE directory_activity a SET mss_address = coalesce(m.address, p.mss_address) FROM owners w"
        " JOIN directory_professional p ON p.id = w.id JOIN directory_activity o ON o.professional_id = w.id"
        " LEFT JOIN (SELECT activity, min(address) AS address FROM tied GROUP BY activity) m ON m.activity = o.id"
        " WHERE a.id = o.id AND a.mss_address <> coalesce(m.address, p.mss_address)"
    )
    execute("DROP TABLE tied, owned, owners")


def lend_structure_mailboxes(structures: str) -> None:
    """Give the structures selected by `structures` (SQL giving ids) their organisation mailboxes.

    One that somebody entered here keeps what he typed: it may be all that there is to reach it.
    """
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
        f" AND (m.id IS NOT NULL OR (t.source <> '{Source.LOCAL}' AND t.{_GIVEN}))"
    )
    execute("DROP TABLE lent, lent_numbers, lent_to")
