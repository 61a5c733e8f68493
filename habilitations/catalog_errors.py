"""What the catalogue of profiles and rubrics refuses."""

from coordination.common.errors import DomainError


class ProfileClosed(DomainError):
    code = "profile_closed"
    message = "Le profil « {name} » est fermé : rouvrez-le d’abord."


class ProfileInUse(DomainError):
    """Somebody's profession leads there: closing would take his rights without a version saying so."""

    code = "profile_in_use"
    message = "{count} mènent à ce profil dans {where} : menez-les ailleurs par une nouvelle version, puis fermez-le."


class ProfileNeeded(DomainError):
    code = "profile_needed"
    message = "Le produit a besoin de ce profil : il ne se ferme pas."


class CircleWouldOpen(DomainError):
    """Rule 7: what the flag withholds is opened by a version, which a second administrator publishes."""

    code = "circle_would_open"
    message = (
        "La version en vigueur ouvre le cercle de soins à ce profil : il verrait la liste entière sans second "
        "administrateur. Fermez-lui d’abord le cercle par une version, levez la réduction, puis rouvrez-le."
    )
    field = "reduced"


class RubricNeeded(DomainError):
    code = "rubric_needed"
    message = "Le produit a besoin de cette rubrique : elle ne se retire pas."


class CatalogMoved(DomainError):
    """Somebody wrote the same line between the page and the act."""

    code = "catalog_moved"
    message = "{who} a modifié cette ligne pendant votre saisie. Relisez-la : enregistrer de nouveau la remplace."


class CodeTaken(DomainError):
    code = "code_taken"
    message = "Ce code est déjà pris : les codes ne changent jamais et ne resservent pas."
    field = "code"


class NameTaken(DomainError):
    code = "name_taken"
    message = "Ce nom est déjà porté."
    field = "label"
