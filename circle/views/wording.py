"""Sentences of the circle that agree with a person's gender when it is known, neutral when it is not."""

from __future__ import annotations

from django.utils import timezone

from circle.names import FEMININE
from coordination.common.french import date_fr
from coordination.common.text import of_name

MASCULINE = frozenset({"M"})


def gender_of(civility: str) -> bool | None:
    """Return True for a woman, False for a man, None when the record does not say."""
    if civility in FEMININE:
        return True
    return False if civility in MASCULINE else None


def was_added(name: str, feminine: bool | None) -> str:
    if feminine is None:
        return f"{name} fait maintenant partie du cercle de soins."
    return f"{name} a été ajouté{'e' if feminine else ''} au cercle de soins."


def was_removed(name: str, feminine: bool | None) -> str:
    if feminine is None:
        return f"{name} ne fait plus partie du cercle de soins."
    return f"{name} a été retiré{'e' if feminine else ''} du cercle de soins."


def is_back(name: str, feminine: bool | None, *, as_before: bool = True) -> str:
    if feminine is None or not as_before:
        return f"{name} fait à nouveau partie du cercle de soins."
    return f"{name} est de retour dans le cercle de soins, comme avant."


def answer_said(state: str, *, requested: bool = False, carried: bool = True) -> str:
    """Return what follows « X a été ajoutée au cercle de soins. »; `carried`: the sharing rests on something."""
    if requested:
        return "Habilitation demandée."
    if state in ("oui", "attente") and not carried:
        return "Habilitation notée : rien ne s’ouvre avant que l’accord de la personne soit noté."
    said = {
        "oui": "Accès au dossier ouvert.",
        "attente": "Accès en attente : cette personne n’a pas encore de compte.",
        "refus": "Refus noté, accès fermé.",
    }
    return said.get(state, "")


def removing_access(name: str) -> str:
    return f"Retirer l’habilitation {of_name(name)} ?"


def were_joined(name: str, joined) -> list[str]:
    """Return what joining the two entries of a structure did: who leaves, from when, and what the other takes over.

    `joined`: circle.actions.joining.Joined.
    """
    today = timezone.localdate()
    said = [
        f"Les deux entrées de {name} sont réunies.",
        f"Celle qui était là depuis le {date_fr(joined.since)} quitte le cercle de soins le {date_fr(today)}.",
    ]
    if joined.carried:
        *first, last = joined.carried
        taken = f"{', '.join(first)} et {last}" if first else last
        said.append(f"Celle qui reste prend {taken}.")
    return said


def role_said(form, name: str) -> str:
    """Return who has which role from when, and after whom: what a form of circle.forms.access has just done.

    "TESTARD Paul prendra le rôle « Médecin traitant » le 12/12/2026, à la suite de RELÈVE Anne, qui aura le rôle
    « Médecin »."
    """
    code, handover = form.cleaned_data["role"], form.cleaned_data["handover"]
    day = (handover or form.cleaned_data)["starts_on"]
    is_to_come = day > timezone.localdate()
    if not code:
        return f"{name} n’a plus de rôle à partir du {date_fr(day)}."
    after = ""
    if handover:
        holder = form.picker.holders[code]
        instead = dict(holder.roles).get(handover["new_role"], "")
        becomes = f", qui {'aura' if is_to_come else 'a maintenant'} le rôle « {instead} »" if instead else ""
        after = f", à la suite de {holder.name}{becomes}"
    role = f"le rôle « {form.picker.label(code)} »"
    if is_to_come:
        return f"{name} prendra {role} le {date_fr(day)}{after}."
    return f"{name} a {role} depuis le {date_fr(day)}{after}."


def handover_said(form, name: str) -> str:
    """Return `role_said` of somebody just added when another one hands the role over, "" otherwise."""
    return role_said(form, name) if form.cleaned_data["handover"] else ""
