"""The table of what is always true, and held by the database (REL-8). `docs/invariants.md` is written from it."""

from tests.invariants import of_agenda, of_circle, of_journal, of_powers

# Title on the page: lines.
TABLE = {
    "Personnes, cercles et invitations": of_circle.INVARIANTS,
    "Habilitations, accords et refus": of_powers.INVARIANTS,
    "Matrice, logiciels et journal": of_journal.INVARIANTS,
    "Agenda, envois et annuaire": of_agenda.INVARIANTS,
}
INVARIANTS = [line for lines in TABLE.values() for line in lines]
