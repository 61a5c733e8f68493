"""Ten tasks of SPICO's guide « Cercle de soins », as the product lets somebody do them.

`spico` is counted from the words of the guide: one click for each button, link, cursor or tab that it names, two for a
drop-down list (open, take), none for what is typed nor for putting the cursor in a field, which it does not tell.
`screens` are those that it shows, a window over the page included. Where it shows a window and not what opens it, one
click is counted for the opening. Every field that it calls « si nécessaire » is left out, here as there.

`clicks` is what each hand did when it was last recorded: an added click is seen (test_ease.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.ease.hand import Hand
from tests.ease.stage import Place

ADD = "Ajouter un professionnel ou un aidant"
ADD_STRUCTURE = "Ajouter ou habiliter une structure"
SHARING = "Sur quoi repose le partage"
GROUND = "La personne s’adresse à ce professionnel"


@dataclass(frozen=True)
class Task:
    """`section`: where the guide tells it; `more`: what we ask that it does not, and why."""

    key: str
    title: str
    section: str
    spico: tuple[tuple[str, int], ...]
    screens: int
    do: Callable[[Hand, Place], object]
    clicks: dict[str, int] = field(default_factory=dict)
    more: str = ""
    start: str = "cercle/"

    @property
    def spico_clicks(self) -> int:
        return sum(count for _, count in self.spico)


def field_of(page, label: str):
    """Return the field with this label, whatever it says after it: « (jj/mm/aaaa) », « (facultatif) »."""
    words = r"\s+".join(re.escape(word) for word in label.split())
    named = page.get_by_label(re.compile(rf"^\s*{words}(\s*\([^)]*\))*\s*$"))
    return named.and_(page.locator("input, select, textarea")).first


def link(page, name: str):
    return page.locator("main").get_by_role("link", name=name)


def button(page, name: str):
    return page.locator("main").get_by_role("button", name=name, exact=True)


def radio(page, name: str):
    return page.locator("main").get_by_role("radio", name=name)


def heading(page, name):
    return page.get_by_role("heading", level=1, name=name)


def told(page, text: str):
    return page.get_by_text(text, exact=False).filter(visible=True)


def open_act(hand: Hand, name: str, act: str) -> None:
    """The menu of the row at a desk, the member's sheet on a phone."""
    page = hand.page
    if hand.finger:
        hand.press(link(page, name))
        heading(page, name).wait_for()
        hand.press(page.locator("ul.acts").get_by_role("link", name=act))
    else:
        hand.press(page.get_by_label(f"Autres actions pour {name}"))
        hand.press(page.locator("details[data-menu][open] a").filter(has_text=act))


# ---- the tasks ----


def open_circle(hand: Hand, place: Place):
    page = hand.page
    if hand.finger:
        hand.press(page.get_by_label("Menu principal"))
        hand.press(page.locator(".phone-nav [data-key=patients]"))
    else:
        hand.press(page.locator(".main-nav [data-key=patients]"))
    hand.press(link(page, place.person))
    hand.press(page.locator(f"main a[href$='{place.dossier_id}/cercle/']"))
    return heading(page, "Cercle de soins")


def add_professional(hand: Hand, place: Place):
    page = hand.page
    hand.press(link(page, ADD))
    hand.write(field_of(page, "Qui voulez-vous ajouter ?"), place.doctor_typed)
    hand.press(page.get_by_role("option").filter(has_text=place.doctor))
    heading(page, re.compile("^Ajouter : ")).wait_for()
    # « Médecin », « Médecin généraliste »: as the directory says of the one who was found.
    hand.press(radio(page, re.compile(r"^Médecin.* \(plusieurs possibles\)")))
    hand.press(radio(page, "Habilitation : oui"))
    hand.pick(field_of(page, SHARING), GROUND)
    hand.press(page.locator("#envoyer"))
    return page.get_by_text(re.compile("a été ajoutée? au cercle de soins"))


def add_by_hand(hand: Hand, place: Place):
    page = hand.page
    hand.press(link(page, ADD))
    hand.press(link(page, "Manuellement"))
    hand.write(field_of(page, "Nom"), "Croquis-Vallée")
    hand.write(field_of(page, "Prénom"), "Gaëlle")
    hand.pick(field_of(page, "Profession"), "Infirmier")
    hand.write(field_of(page, "Numéro de mobile"), "0639981010")
    # The role is named after the profession: its list is drawn again once the profession is known.
    page.locator("#champ-role option", has_text="Infirmi").first.wait_for(state="attached")
    hand.pick(field_of(page, "Rôle"), "Infirmi")
    hand.press(button(page, "Ajouter la personne au cercle de soins"))
    return told(page, "CROQUIS-VALLÉE Gaëlle fait maintenant partie du cercle de soins.")


def add_relative(hand: Hand, place: Place):
    page = hand.page
    hand.press(link(page, ADD))
    hand.press(link(page, "Un aidant, un proche"))
    hand.write(field_of(page, "Nom"), "Ébauche-Vallée")
    hand.write(field_of(page, "Prénom"), "Odile")
    hand.pick(field_of(page, "Lien avec le patient/usager"), "Fille")
    hand.write(field_of(page, "Numéro de mobile"), "0639982020")
    hand.pick(field_of(page, "Rôle"), "Personne à prévenir")
    hand.press(button(page, "Ajouter la personne au cercle de soins"))
    return link(page, "ÉBAUCHE-VALLÉE Odile")


def add_structure(hand: Hand, place: Place):
    page = hand.page
    hand.press(link(page, ADD_STRUCTURE))
    hand.write(field_of(page, "Nom, sigle ou n° FINESS"), place.house_typed)
    hand.press(page.get_by_role("link", name=re.compile(f"Choisir cette structure.*{re.escape(place.house)}")))
    hand.press(radio(page, "Habilitation : oui"))
    hand.pick(field_of(page, SHARING), "Équipe organisée")
    hand.press(page.locator("#envoyer"))
    return link(page, place.house)


def add_structure_by_hand(hand: Hand, place: Place):
    page = hand.page
    hand.press(link(page, ADD_STRUCTURE))
    hand.press(link(page, "Manuellement"))
    hand.write(field_of(page, "Libellé"), f"Portage {place.mark}")
    hand.write(field_of(page, "Numéro de téléphone"), "0536491099")
    hand.press(button(page, "Ajouter la structure au cercle de soins"))
    return link(page, f"Portage {place.mark}")


def invite_colleague(hand: Hand, place: Place):
    page = hand.page
    hand.press(link(page, ADD))
    hand.press(link(page, "Inviter un confrère"))
    hand.write(field_of(page, "Nom"), f"Tracé-{place.mark.title()}")
    hand.write(field_of(page, "Prénom"), "Yann")
    hand.pick(field_of(page, "Profession"), "Infirmier")
    hand.write(field_of(page, "Adresse e-mail professionnelle"), f"y.{place.mark.lower()}@cabinet.example")
    hand.press(button(page, "Envoyer l’invitation"))
    return page.get_by_role("heading", level=1, name="Invitations", exact=True)


def record_refusal(hand: Hand, place: Place):
    page = hand.page
    open_act(hand, place.nurse, "Noter un refus")
    hand.pick(field_of(page, "Recueil du refus"), "Dit par la personne")
    hand.press(page.locator("#envoyer"))
    return told(page, "Refus noté, accès fermé.")


def give_access(hand: Hand, place: Place):
    page = hand.page
    open_act(hand, place.waiting, "Habilitation")
    hand.press(radio(page, "Habilitation : oui"))
    hand.pick(field_of(page, SHARING), GROUND)
    hand.press(page.locator("#envoyer"))
    return page.get_by_role("heading", level=1, name=place.waiting, exact=True)


def change_role(hand: Hand, place: Place):
    page = hand.page
    open_act(hand, place.relative, "Changer de rôle")
    hand.press(radio(page, "Personne de confiance"))
    hand.press(button(page, "Mettre à jour"))
    return page.get_by_role("heading", level=1, name=place.relative, exact=True)


WINDOW = ("ouvrir la fenêtre « Modifier » (montrée, son bouton ne l’est pas)", 1)
UPDATE = ("« Mettre à jour »", 1)
LAW = "sur quoi repose le partage (CSP, art. L. 1110-12) : 2 clics"
TASKS = (
    Task(
        "ouvrir", "Ouvrir le cercle d’une personne", "Première étape",
        (("onglet « Patients »", 1), ("nom du patient", 1), ("« Consulter / Modifier »", 1)), 3,
        open_circle, {"souris": 3, "doigt": 4}, start="/compte/",
        more="au téléphone, l’onglet est dans le menu : 1 de plus",
    ),
    Task(
        "annuaire", "Ajouter et habiliter un professionnel de l’annuaire", "Diapo 5",
        (("« Ajouter un professionnel ou un aidant »", 1), ("« Recherche dans l’annuaire »", 1),
         ("« Choisir cet utilisateur »", 1), ("Rôle", 2), ("curseur Habilitation", 1), UPDATE), 3,
        add_professional, {"souris": 7, "doigt": 7}, more=LAW,
    ),
    Task(
        "a-la-main", "Ajouter un professionnel qui n’est pas dans l’annuaire", "Diapo 6",
        (("« Ajouter un professionnel ou un aidant »", 1), ("« Manuellement »", 1), ("curseur professionnel", 1),
         ("Rôle", 2), ("« Ajouter la personne au cercle de soins »", 1)), 2,
        add_by_hand, {"souris": 7, "doigt": 7}, more="la profession, que leur formulaire ne demande pas : 2 clics",
    ),
    Task(
        "proche", "Ajouter un aidant ou un proche", "Diapo 7",
        (("« Ajouter un professionnel ou un aidant »", 1), ("« Manuellement »", 1), ("curseur professionnel", 1),
         ("Lien avec le patient/usager", 2), ("Rôle", 2), ("« Ajouter la personne au cercle de soins »", 1)), 2,
        add_relative, {"souris": 7, "doigt": 7},
    ),
    Task(
        "structure", "Ajouter et habiliter une structure de l’annuaire", "Diapo 8",
        (("« Ajouter ou habiliter une structure »", 1), ("« Par recherche dans l’annuaire »", 1),
         ("« Choisir cette structure »", 1), ("curseur Habilitation", 1), UPDATE), 3,
        add_structure, {"souris": 6, "doigt": 6}, more=LAW,
    ),
    Task(
        "structure-a-la-main", "Ajouter une structure qui n’est pas dans l’annuaire", "Diapo 9",
        (("« Ajouter ou habiliter une structure »", 1), ("« Manuellement »", 1),
         ("« Ajouter la structure au cercle de soins »", 1)), 2,
        add_structure_by_hand, {"souris": 3, "doigt": 3},
    ),
    Task(
        "inviter", "Inviter un confrère à créer un compte", "Pour inviter un confrère",
        (("« Ajouter un professionnel ou un aidant »", 1), ("« Inviter un confrère »", 1),
         ("envoyer, dans le logiciel de courrier", 1)), 2,
        invite_colleague, {"souris": 5, "doigt": 5},
        more="sa profession, à laquelle la réponse sera comparée : 2 clics ; l’e-mail part d’ici et il est suivi",
    ),
    Task(
        "refus", "Noter le refus de la personne pour un membre", "Diapo 5, fenêtre « Modifier »",
        (WINDOW, ("curseur « Refus du patient »", 1), UPDATE), 2,
        record_refusal, {"souris": 5, "doigt": 5}, more="comment le refus a été recueilli : 2 clics",
    ),
    Task(
        "habiliter", "Habiliter un membre déjà dans le cercle", "Diapo 5, fenêtre « Modifier »",
        (WINDOW, ("curseur Habilitation", 1), UPDATE), 2,
        give_access, {"souris": 6, "doigt": 6}, more=LAW,
    ),
    Task(
        "role", "Changer le rôle d’un membre", "Diapo 5, fenêtre « Modifier »",
        (WINDOW, ("Rôle", 2), UPDATE), 2,
        change_role, {"souris": 4, "doigt": 4},
    ),
)  # fmt: skip
