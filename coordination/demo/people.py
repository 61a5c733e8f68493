"""The demonstration accounts: one per kind of user. All names are invented."""

from dataclasses import dataclass

PASSWORD = "demonstration-2026"  # noqa: S105 - printed by make run, refused in production with the whole app

DAC = "DAC Exemple"
SSIAD = "SSIAD Exemple de Carmaux"
CCAS = "CCAS Exemple"


@dataclass(frozen=True, slots=True)
class Person:
    """An account to open: who, what profession (code, function), and what to try with it."""

    key: str
    email: str
    family_name: str
    given_name: str
    civility: str
    title: str
    profession: str = ""
    fonction: str = ""
    structure: str = ""
    phone: str = ""
    administrator: bool = False
    delegate: bool = False
    # Looks after the accounts of the structure; the profession of `unconfirmed` waits for such a person.
    looks_after: bool = False
    unconfirmed: bool = False
    # By which a software names who acts (docs/fhir.md).
    rpps: str = ""
    # Practises in the national directory: bound to a generated entry of this profession, in this town.
    town: str = ""
    tries: str = ""


PEOPLE = (
    Person(
        "coordinatrice", "coordinatrice@demo.example", "Exemple-Larrieu", "Maëlle", "MME",
        "Coordinatrice, DAC Exemple", "330", "", DAC, "0536491040", rpps="10999999906",
        tries="crée un dossier, compose le cercle, habilite, note un refus",
    ),
    Person(
        "coordinatrice2", "coordinatrice2@demo.example", "Patron", "Élise", "MME",
        "Coordinatrice, DAC Exemple", "330", "", DAC, "0536491041",
        tries="modifie une fiche en même temps que la première",
    ),
    Person(
        "medecin", "medecin@demo.example", "Testard", "Paul", "M",
        "Médecin généraliste, Carmaux", "10", "", "", "0536491021", town="Carmaux",
        tries="médecin traitant : lit tout, habilite",
    ),
    Person(
        "infirmiere", "infirmiere@demo.example", "Spécimen", "Inès", "MME",
        "Infirmière libérale, Carmaux", "60", "", "", "0639984107", town="Carmaux",
        tries="ajoute un membre sans pouvoir habiliter : habilitation demandée",
    ),
    Person(
        "sociale", "sociale@demo.example", "Échantillon-Roc", "Rose", "MME",
        "Assistante sociale, CCAS Exemple", "41", "", CCAS, "0536497702",
        tries="ne voit ni le volet médical ni les membres discrets",
    ),
    Person(
        "encadrement", "encadrement@demo.example", "Fictive", "Carole", "MME",
        "Responsable de secteur, SSIAD Exemple", "333", "", SSIAD, "0536498100", delegate=True,
        tries="entre par sa structure personne morale",
    ),
    Person(
        "domicile", "domicile@demo.example", "Ébauche", "Nora", "MME",
        "Auxiliaire de vie, SSIAD Exemple", "350", "", SSIAD, "0639981122", delegate=True,
        tries="ne reçoit que la liste réduite du cercle",
    ),
    Person(
        "secretariat", "secretariat@demo.example", "Essai", "Bruno", "M",
        "Secrétaire, DAC Exemple", "331", "", DAC, "0536491042", delegate=True,
        tries="dossiers de sa structure : identité et agenda, rien de clinique",
    ),
    Person(
        "structure", "structure@demo.example", "Gabarit", "Denis", "M",
        "Directeur, SSIAD Exemple", "359", "", SSIAD, "0536498101", looks_after=True,
        tries="« Comptes de ma structure » : ouvre les comptes du SSIAD, confirme leurs professions",
    ),
    Person(
        "arrivante", "arrivante@demo.example", "Modèle-Neuf", "Lina", "MME",
        "Aide-soignante, SSIAD Exemple", "35", "", SSIAD, "0639981133", unconfirmed=True,
        tries="profession pas encore confirmée par le SSIAD : aucun droit d'ici là",
    ),
    Person(
        "admin", "admin@demo.example", "Gestion", "Camille", "MME", "Administratrice",
        administrator=True,
        tries="prépare la matrice d'habilitation, demande sa publication ; n'ouvre aucun dossier",
    ),
    Person(
        "admin2", "admin2@demo.example", "Régie", "Alix", "MME", "Administratrice",
        administrator=True,
        tries="publie ou refuse ce que la première a demandé",
    ),
)  # fmt: skip


def accounts_text() -> str:
    """Return the accounts as `make run` prints them."""
    width = max(len(p.email) for p in PEOPLE)
    lines = [f"Comptes de démonstration (mot de passe : {PASSWORD})"]
    lines += [f"  {p.email.ljust(width)}  {p.title} : {p.tries}" for p in PEOPLE]
    return "\n".join(lines)
