"""Each kind of change has its French sentence."""

import pytest

from circle import history
from circle.history import Told
from circle.models import Change

WHO, MEMBER = "EXEMPLE-LARRIEU Maëlle", "ÉCHANTILLON Nadia"


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (("ajout",), f"{WHO} a ajouté {MEMBER} au cercle de soins."),
        (("ajout", history.CREATION), f"{WHO} a créé le dossier."),
        (("retour",), f"{MEMBER} est de retour dans le cercle de soins, ajoutée par {WHO}."),
        (("modification", "ville", "", "Albi"), f"{WHO} a modifié la fiche : {MEMBER}, ville « Albi » ajouté."),
        (("modification", "ville", "Albi", ""), f"{WHO} a modifié la fiche : {MEMBER}, ville « Albi » effacé."),
        (("modification", "discret", "non", "oui"), f"{WHO} a rendu discret pour le cercle : {MEMBER}."),
        (("modification", "discret", "oui", "non"), f"{WHO} a rendu visible de tous pour le cercle : {MEMBER}."),
        (("liaison", "", "ECHANTILLON N"), f"{WHO} a relié ECHANTILLON N à l'annuaire : {MEMBER}."),
        (("role", "", "", "Infirmière"), f"{WHO} a donné le rôle « Infirmière » : {MEMBER}."),
        (
            ("role", "à partir du 01/12/2026", "Informatrice", "Aidante"),
            f"{WHO} a donné le rôle « Aidante » à la place de « Informatrice » : {MEMBER}. À partir du 01/12/2026.",
        ),
        (("role", "", "Médecin", ""), f"{WHO} a retiré le rôle « Médecin » : {MEMBER}."),
        (
            ("passation", "", "", "Médecin traitant", "TESTARD Paul"),
            f"{MEMBER} prend le rôle « Médecin traitant » à la suite de TESTARD Paul, par {WHO}.",
        ),
        (("habilitation", "", "non", "oui"), f"{WHO} a habilité {MEMBER}."),
        (("habilitation", "", "non", "attente"), f"{WHO} a habilité {MEMBER} : accès en attente de son compte."),
        (("habilitation", "", "oui", "refus"), f"{WHO} a noté le refus du patient pour {MEMBER} : accès fermé."),
        (("habilitation", "", "refus", "non"), f"{WHO} a noté le retrait du refus pour {MEMBER} : sans habilitation."),
        (("habilitation", "", "oui", "non"), f"{WHO} a suspendu l'accès : {MEMBER}."),
        (("demande",), f"{WHO} a demandé une habilitation pour {MEMBER}."),
        (
            ("retrait", "Fin de prise en charge", "", "Guérie."),
            f"{WHO} a retiré {MEMBER} du cercle de soins. Fin de prise en charge. Guérie.",
        ),
        (("annulation",), f"{WHO} a annulé le retrait : {MEMBER} est à nouveau dans le cercle de soins."),
    ],
)
def test_sentence(told, sentence):
    kind, subject, before, after, other = (*told, "", "", "", "")[:5]
    assert history.sentence(Told(kind, WHO, MEMBER, True, subject, before, after, other)) == sentence


def test_every_kind_has_a_sentence_and_an_icon():
    for kind in Change.Kind.values:
        assert history.sentence(Told(kind, WHO, MEMBER)).endswith(".")
        assert history.ICONS[kind]
