"""THE table: which answer each address owes to each person (SECT-3). One line per route, grouped by families.

A family says in words who is answered, and by a rule what that comes to. The rules read the shipped matrix from its
own files (matrix_read_apart), never from the engine. A method that no line names answers 405 to who is signed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.security import matrix_read_apart as apart
from tests.security import world as w

# The answers. OPEN is any answer of the page itself: done, asked again, or told that a rule says no. TOKEN is the
# API's: no session opens it, whoever's it is.
OPEN, CLOSED, ABSENT, METHOD, SIGN_IN, TOKEN = "ouvert", "403", "404", "405", "connexion", "401"


@dataclass(frozen=True)
class Who:
    """A profile of the matrix in a situation; or, without a profile, one of those who are nobody's carers.

    `asks_of_discreet`: the member in the address is discreet.
    """

    situation: str
    profile: str = ""
    asks_of_discreet: bool = False

    @property
    def is_signed_in(self) -> bool:
        return self.situation not in (w.ANONYMOUS, w.SUSPENDED)

    @property
    def is_inside(self) -> bool:
        return self.situation in w.INSIDE

    @property
    def profiles(self) -> tuple[str, ...]:
        """Whose profession bounds him: his own, and that of whom he acts for (« never more than either »)."""
        return (self.profile, w.PRINCIPAL) if self.situation in w.FOR_ANOTHER else (self.profile,)

    def level(self, rubric: str) -> int:
        """The least of the cell and of what the state of the dossier allows (rule 2)."""
        if not self.is_inside:
            return 0
        # Rule 7: the journal names discreet members, whoever reads it.
        if rubric == "journal" and self.level("medical") < 1:
            return 0
        most = min(1 if self.situation == w.READ_ONLY else 2, w.MOST.get(self.situation, {}).get(rubric, 2))
        return min(most, *(apart.LEVELS[profile][rubric] for profile in self.profiles))

    def may(self, action: str) -> bool:
        """Whether an action right is held in the dossier, for a member of no structure of one's own."""
        if not self.is_inside or self.situation == w.EMERGENCY:
            return False
        if self.situation == w.READ_ONLY and action not in apart.STILL_ALLOWED:
            return False
        return all(apart.RIGHTS[profile].get(action) == "tous" for profile in self.profiles)

    def holds(self, action: str) -> bool:
        """Whether the profession gives a right, outside any dossier."""
        return apart.RIGHTS.get(self.profile, {}).get(action) == "tous"

    @property
    def notes_refusals(self) -> bool:
        """Who writes the circle when the dossier can be written, and may note what the person says."""
        writes = all(apart.LEVELS[profile]["cercle"] >= 2 for profile in self.profiles)
        return writes and self.is_inside and self.may("noter_refus")

    @property
    def is_shown_member(self) -> bool:
        """Rule 7: a discreet member exists for those only who read the medical rubric."""
        return not self.asks_of_discreet or self.level("medical") >= 1

    @property
    def sees_whole_circle(self) -> bool:
        return self.level("cercle") >= 1 and not apart.REDUCED_CIRCLE & set(self.profiles)


Rule = Callable[[Who], str]


@dataclass(frozen=True)
class Family:
    """Some routes answered to the same people. `routes`: {name: methods}."""

    title: str
    who: str
    rule: Rule
    routes: Mapping[str, str]


# ---- Rules -----------------------------------------------------------------------------------------


def public(who: Who) -> str:
    return OPEN


def nobody(who: Who) -> str:
    return ABSENT


def unknown(who: Who) -> str:
    """An address that the installation does not have: whoever asks, by whatever method, finds nothing."""
    return ABSENT


def by_token(who: Who) -> str:
    """An address of the API: it asks for a token before anything else, whatever the method (tests/fhir)."""
    return TOKEN


def signed_in(who: Who) -> str:
    return OPEN if who.is_signed_in else SIGN_IN


def only(test: Callable[[Who], bool], otherwise: str = ABSENT) -> Rule:
    """Among those signed in, those for whom `test` holds."""
    return lambda who: (OPEN if test(who) else otherwise) if who.is_signed_in else SIGN_IN


def in_dossier(*, reads="", writes="", may=(), notes=False, sees=lambda who: True, may_for_member=()) -> Rule:
    """Inside the dossier, else 404; with the level and the action rights, else 403; shown the member, else 404.

    `notes`: who writes down what the person says, whatever the state of the dossier.
    `may_for_member`: rights that reach some members only, so that the member is found before they are asked. Who is
    not shown him is answered 404, as for an identifier of nobody: a 403 would say that somebody is there.
    """

    def rule(who: Who) -> str:
        if not who.is_signed_in:
            return SIGN_IN
        if not who.is_inside:
            return ABSENT
        level_held = all(who.level(rubric) >= 1 for rubric in reads.split()) and (not writes or who.level(writes) >= 2)
        if not (level_held and all(who.may(action) for action in may) and (not notes or who.notes_refusals)):
            return CLOSED
        if not (who.is_shown_member and sees(who)):
            return ABSENT
        return OPEN if all(who.may(action) for action in may_for_member) else CLOSED

    return rule


def knows_invitation(*, may="") -> Rule:
    """Inside, reading the whole circle, and with the right of the act when the page itself asks for it; else 404."""
    return only(lambda who: who.is_inside and who.sees_whole_circle and (not may or who.may(may)))


def whole_circle(who: Who) -> bool:
    return who.sees_whole_circle


is_administrator = only(lambda who: who.situation == w.ADMINISTRATOR)
is_officer = only(lambda who: who.situation == w.OFFICER)
looks_after = only(lambda who: who.situation == w.LOOKS_AFTER)
is_owner = only(lambda who: who.profile == w.OWNER)
may_create = only(lambda who: who.holds("creer_dossier"), CLOSED)
may_invite = only(lambda who: who.holds("inviter"))
may_merge = only(lambda who: who.situation == w.ADMINISTRATOR, CLOSED)
# Every profile of the world is that of a confirmed profession, « inconnu » included: the entry of the directory is
# signed by who made it.
may_add_structure = only(lambda who: who.profile or who.situation in (w.ADMINISTRATOR, w.LOOKS_AFTER), CLOSED)

READ, SEND, BOTH = "GET HEAD", "POST", "GET HEAD POST"
EVERY = "GET HEAD POST PUT PATCH DELETE OPTIONS"


# ---- The table -------------------------------------------------------------------------------------

FAMILIES = (
    # -- In a dossier --
    Family("Accueil du dossier", "qui est dans le dossier, quelles que soient ses rubriques", in_dossier(), {
        "dossiers:home": READ, "dossiers:seen": SEND, "dossiers:access": READ, "dossiers:ask_access": BOTH,
    }),
    Family("Identité", "qui lit l’identité", in_dossier(reads="identite"), {
        "dossiers:identity": READ, "dossiers:status": BOTH,
    }),
    Family("Exporter le dossier", "qui lit l’identité et peut exporter le dossier",
           in_dossier(reads="identite", may=("exporter_dossier",)), {"dossiers:export_fhir": READ}),
    Family("Échanger le cercle avec un partenaire", "qui écrit le cercle et peut exporter le dossier",
           in_dossier(writes="cercle", may=("exporter_dossier",)), {"circle:partners": READ, "circle:exchange": SEND}),
    Family("Identité, écrire", "qui écrit l’identité", in_dossier(writes="identite"), {
        "dossiers:edit_identity": BOTH, "dossiers:edit_contacts": BOTH,
    }),
    Family("Journal", "qui lit le journal et en a le droit, et lit le volet médical : une ligne peut nommer un membre "
           "discret", in_dossier(reads="journal medical", may=("lire_journal",)), {
        "dossiers:ask_why": SEND,
        "dossiers:journal": BOTH, "dossiers:journal_print": SEND, "dossiers:journal_export": SEND,
    }),
    Family("Cercle de soins", "qui lit le cercle", in_dossier(reads="cercle"), {
        "circle:list": BOTH, "circle:history": READ,
    }),
    Family("Cercle, fichiers", "qui lit le cercle et peut imprimer", in_dossier(reads="cercle", may=("imprimer",)), {
        "circle:print_sheet": READ, "circle:export_list": READ,
    }),
    Family("Fiche d’un membre", "qui lit le cercle en entier : le cercle réduit ne montre pas ce membre",
           in_dossier(reads="cercle", sees=whole_circle), {
        "circle:member": READ, "circle:member_history": READ,
    }),
    Family("Fiche de contact d’un membre", "de même, et qui peut imprimer",
           in_dossier(reads="cercle", may=("imprimer",), sees=whole_circle), {
        "circle:export_vcard": READ,
    }),
    Family("Membre, écrire", "qui écrit le cercle", in_dossier(writes="cercle"), {
        "circle:edit_member": BOTH, "circle:change_role": BOTH, "circle:call_off_plan": SEND,
        "circle:discreet": SEND, "circle:join": SEND,
        # What these change is asked again by the act, which needs the right to habilitate (test_acts.py; for a planned
        # departure, tests/circle/test_planned_stays.py).
        "circle:call_off_stay": SEND,
        "circle:habilitation": BOTH, "circle:preview_habilitation": "GET",
    }),
    Family("Ajouter un membre", "qui écrit le cercle et peut ajouter",
           in_dossier(writes="cercle", may=("ajouter_membre",)), {
        "circle:add": BOTH, "circle:add_professional": BOTH, "circle:preview": "GET",
        "circle:add_manually": BOTH, "circle:lookalikes": SEND, "circle:add_structure": BOTH,
        "circle:add_structure_manually": BOTH, "circle:choose_structure": BOTH, "circle:link": BOTH,
        "circle:request": SEND,
    }),
    Family("Répondre à une demande, revoir les accès", "qui écrit le cercle et peut habiliter",
           in_dossier(writes="cercle", may=("habiliter",)), {
        "circle:answer_request": BOTH, "circle:close_access": SEND, "circle:restore_access": SEND,
        "circle:keep_access": SEND, "circle:finish_review": SEND,
    }),
    Family("Réduire, prolonger, retirer et revenir dessus", "qui écrit le cercle et peut habiliter ce membre : le "
           "droit peut s’arrêter à sa structure, et se demande donc du membre trouvé",
           in_dossier(writes="cercle", may_for_member=("habiliter",)), {
        "circle:remove": BOTH, "circle:limits": BOTH, "circle:extend": SEND,
        # Of a member who was habilitated: it gives the access back.
        "circle:undo_removal": SEND,
    }),
    Family("Revue des accès", "qui lit le cercle et peut habiliter", in_dossier(reads="cercle", may=("habiliter",)), {
        "circle:review": READ, "circle:export_review": READ,
    }),
    Family("Inviter un membre", "qui écrit le cercle et peut inviter", in_dossier(writes="cercle", may=("inviter",)), {
        "circle:invite_member": BOTH, "circle:preview_letter": SEND, "circle:invite_several": BOTH,
        "circle:check_several": SEND,
    }),
    Family("Noter un refus", "qui lit le cercle et peut noter un refus, aussi dans un dossier clos : cela ne fait "
           "que fermer", in_dossier(reads="cercle", may=("noter_refus",)), {
        "circle:record_refusal": BOTH,
    }),
    Family("Retirer un refus, une opposition", "qui écrit le cercle et peut noter un refus",
           in_dossier(writes="cercle", may=("noter_refus",)), {
        "circle:withdraw_refusal": BOTH, "circle:withdraw_opposition": BOTH,
    }),
    Family("Consentements et refus", "qui écrit le cercle quand le dossier s’écrit, et peut noter un refus",
           in_dossier(reads="cercle", notes=True), {
        "circle:consents": READ, "circle:consent": READ, "circle:end_consent": BOTH, "circle:oppose": BOTH,
    }),
    Family("Noter un accord", "de même, dans un dossier qui s’écrit : cela ouvre",
           in_dossier(writes="cercle", may=("noter_refus",)), {"circle:consent": SEND}),
    Family("Imprimer les consentements", "de même, et qui peut imprimer",
           in_dossier(reads="cercle", notes=True, may=("imprimer",)), {"circle:print_consents": READ}),
    Family("Secrétariat d’un membre", "qui lit le cercle en entier et peut noter un refus : de ce membre, personne "
           "n’a de secrétariat", in_dossier(reads="cercle", may=("noter_refus",), sees=lambda who: False), {
        "circle:secretary": BOTH,
    }),
    Family("Agenda de la personne", "qui lit l’agenda ; d’un rendez-vous, aussi qui y est invité (tests/agenda)",
           in_dossier(reads="agenda"), {
        "agenda:list": READ, "agenda:week": READ, "agenda:appointment": READ,
        "agenda:answer": BOTH,
    }),
    Family("Agenda, écrire", "qui écrit l’agenda", in_dossier(writes="agenda"), {
        "agenda:create": BOTH, "agenda:consent": BOTH, "agenda:edit": BOTH, "agenda:cancel": BOTH,
        "agenda:done": SEND, "agenda:not_come": SEND, "agenda:join": SEND, "agenda:keep_apart": SEND,
        "agenda:proposal": SEND,
    }),
    Family("Réunions de la personne", "qui lit les réunions", in_dossier(reads="reunions"), {"reunions:list": READ}),
    Family("Une réunion", "qui est dans le dossier et la voit : par les réunions, ou parce qu’il y est invité",
           in_dossier(sees=lambda who: who.level("reunions") >= 1), {
        "reunions:meeting": READ, "reunions:answer": BOTH,
    }),
    Family("Réunions, écrire", "qui écrit les réunions", in_dossier(writes="reunions"), {
        "reunions:find": BOTH, "reunions:choose": SEND, "reunions:add_time": SEND, "reunions:remind": SEND,
        "reunions:remove": SEND, "reunions:cancel": BOTH, "reunions:minutes": BOTH,
    }),
    # -- Across dossiers --
    Family("Agenda", "toute personne connectée, pour elle seule", signed_in, {
        "mon_agenda:list": READ, "mon_agenda:week": READ, "mon_agenda:openings": READ, "mon_agenda:absences": READ,
        "mon_agenda:add_opening": BOTH, "mon_agenda:add_absence": BOTH, "mon_agenda:settings": BOTH,
        "mon_agenda:feed": BOTH, "mon_agenda:renew_feed": SEND, "mon_agenda:close_feed": SEND,
        "mon_agenda:add_calendar": BOTH, "mon_agenda:export_availabilities": READ,
        "mon_agenda:export_free_busy": READ, "mon_agenda:export_appointments": READ,
    }),
    Family("Une ouverture, une absence, un calendrier", "la personne à qui ils sont : ici, personne n’en a",
           only(lambda who: False), {
        "mon_agenda:change_opening": BOTH, "mon_agenda:remove_opening": SEND, "mon_agenda:change_absence": BOTH,
        "mon_agenda:remove_absence": SEND, "mon_agenda:change_calendar": BOTH,
        "mon_agenda:refresh_calendar": SEND, "mon_agenda:remove_calendar": SEND,
    }),
    Family("File active", "toute personne connectée : la liste ne contient que ses dossiers", signed_in, {
        "root": "GET HEAD POST PUT PATCH DELETE OPTIONS", "dossiers:list": BOTH, "dossiers:open": BOTH,
        "dossiers:export": BOTH, "todo": READ,
    }),
    Family("Créer un dossier", "qui peut créer un dossier", may_create, {
        "dossiers:create": BOTH, "dossiers:lookalikes": SEND,
    }),
    Family("Suggestions", "toute personne connectée : listes publiques", signed_in, {
        "dossiers:towns": SEND, "dossiers:birth_places": SEND, "dossiers:structures": SEND,
    }),
    Family("Journaux de tous les dossiers", "délégué à la protection des données", is_officer, {
        "dossiers:journals": BOTH, "dossiers:export_asleep": READ,
    }),
    Family("Accès d’urgence, éteint", "personne : l’installation ne l’a pas", unknown, {
        "dossiers:emergency": BOTH, "dossiers:emergencies": BOTH, "dossiers:officer_review": BOTH,
        "dossiers:emergency_ban": READ, "dossiers:forbid_emergency": SEND, "dossiers:allow_emergency": SEND,
        "dossiers:leave_emergency": SEND, "dossiers:show_emergency": READ, "dossiers:review_emergency": SEND,
    }),
    # -- Invitations --
    Family("Mes invitations", "toute personne connectée : ce qu’elle suit", signed_in, {
        "invitations:list": READ, "invitations:awaiting": READ,
    }),
    Family("Inviter un confrère", "qui peut inviter", may_invite, {
        "invitations:invite": BOTH, "invitations:invite_several": BOTH, "invitations:preview": SEND,
    }),
    Family("Suivre une invitation d’un dossier", "qui lit le cercle de ce dossier en entier ; l’acte demande ensuite "
           "son droit (test_acts.py)", knows_invitation(), {
        "invitations:remind": SEND, "invitations:copy_link": SEND, "invitations:revoke": SEND,
        "invitations:decline": SEND, "invitations:confirm": SEND,
    }),
    Family("Renvoyer une invitation d’un dossier", "de même, et qui peut inviter", knows_invitation(may="inviter"), {
        "invitations:resend": BOTH,
    }),
    Family("Confirmer une personne invitée", "de même, et qui peut habiliter", knows_invitation(may="habiliter"), {
        "invitations:confirm": READ,
    }),
    Family("Lien personnel", "qui tient le lien, avec ou sans compte", public, {
        "invitations:answer": BOTH, "invitations:refuse": BOTH, "invitations:opened": SEND, "invitations:ask": SEND,
        "invitations:receive": SEND, "reponse:answer": BOTH,
    }),
    Family("Agenda lu par un programme", "qui tient l’adresse secrète, avec ou sans session", public, {
        "flux:calendar": READ,
    }),
    # -- Annuaire --
    Family("Annuaire", "toute personne connectée : données publiques", signed_in, {
        "directory:professionals": BOTH, "directory:structures": BOTH, "directory:professional": READ,
        "directory:structure": READ,
    }),
    Family("Créer une structure", "qui a une profession confirmée, ou administre", may_add_structure, {
        "directory:create_structure": BOTH,
    }),
    Family("Fusionner deux structures", "qui administre", may_merge, {"directory:merge_structure": BOTH}),
    Family("Comptes de ma structure", "administrateur de cette structure", looks_after, {
        "directory:accounts": READ, "directory:offer_account": BOTH, "directory:offer_by_hand": BOTH,
        "directory:offer_professional": BOTH, "directory:withdraw_offer": SEND,
        "directory:confirm_profession": SEND, "directory:withdraw_confirmation": BOTH,
        "directory:account_review": READ, "directory:export_account_review": READ, "directory:keep_account": SEND,
    }),
    Family("Salles de ma structure", "administrateur de cette structure", looks_after, {
        "mon_agenda:rooms": READ, "mon_agenda:add_room": BOTH, "mon_agenda:change_room": BOTH,
        "mon_agenda:remove_room": SEND,
    }),
    Family("Rattachement proposé", "la personne à qui il est proposé", is_owner, {"directory:offer": BOTH}),
    Family("Absences et remplaçants", "toute personne connectée, pour elle seule", signed_in, {
        "acting:list": READ, "acting:declare": BOTH, "acting:secretary": BOTH,
    }),
    Family("Répondre à qui demande un remplacement", "la personne à qui c’est demandé", is_owner, {
        "acting:answer": BOTH,
    }),
    Family("Mettre fin à un remplacement", "l’un des deux, une fois accepté", only(lambda who: False), {
        "acting:end": SEND,
    }),
    Family("Question sur un accès", "la personne à qui elle est posée", is_owner, {"answer_why": BOTH}),
    # -- Administration --
    Family("Administration", "administrateurs ; pour les autres, rien n’est là", is_administrator, {
        "habilitations:matrix": BOTH, "habilitations:rights": BOTH, "habilitations:profile": BOTH,
        "habilitations:column": BOTH, "habilitations:put_back": SEND, "habilitations:discard": BOTH,
        "habilitations:effect": READ, "habilitations:ask": SEND, "habilitations:take_back": SEND,
        "habilitations:carry_over": SEND, "habilitations:publish": SEND, "habilitations:refuse": SEND,
        "habilitations:versions": READ, "habilitations:compare": READ, "habilitations:import": BOTH,
        "habilitations:replay": READ, "habilitations:restore": SEND, "habilitations:export_xlsx": READ,
        "habilitations:export_csv": READ, "habilitations:professions": READ, "habilitations:rule": BOTH,
        "habilitations:officers": BOTH, "habilitations:end_officer": SEND, "habilitations:see_as": READ,
        "habilitations:profiles": READ, "habilitations:new_profile": BOTH, "habilitations:edit_profile": BOTH,
        "habilitations:close_profile": BOTH, "habilitations:reopen_profile": SEND, "habilitations:rubrics": READ,
        "habilitations:new_rubric": BOTH, "habilitations:edit_rubric": BOTH, "habilitations:withdraw_rubric": BOTH,
        "habilitations:restore_rubric": BOTH,
        "administration:legal_structures": READ, "administration:allow_structure": BOTH,
        "administration:legal_structure": BOTH, "administration:close_structure": BOTH,
        "administration:name_delegate": SEND, "administration:end_delegate": SEND,
        "administration:accounts": BOTH, "administration:account": READ, "administration:confirm_account": BOTH,
        "administration:account_act": BOTH, "roles:unique": BOTH,
        "administration:clients": READ, "administration:choose_client_structure": BOTH,
        "administration:connect_client": BOTH, "administration:client": BOTH,
        "administration:renew_client_secret": SEND, "administration:revoke_client": BOTH,
        "partners:list": READ, "partners:add": BOTH, "partners:edit": BOTH, "partners:relays": READ,
        "partners:retry": SEND, "partners:cancel": SEND, "partners:attempt": SEND,
        "operations:queues": READ, "operations:act_on_all": BOTH, "operations:act_on_one": BOTH,
    }),
    # -- One's own account --
    Family("Mon compte", "toute personne connectée, pour elle seule", signed_in, {
        "accounts:home": BOTH, "accounts:resume": "GET", "accounts:session": BOTH,
        "accounts:end_other_sessions": SEND, "accounts:draft": "POST DELETE", "mfa_list_webauthn": "GET",
        "account_reauthenticate": BOTH, "account_change_password": BOTH, "mfa_reauthenticate": BOTH,
        "mfa_index": READ, "mfa_activate_totp": BOTH, "mfa_generate_recovery_codes": BOTH,
        "mfa_add_webauthn": BOTH, "mfa_reauthenticate_webauthn": BOTH,
    }),
    Family("Mes jetons d’accès", "toute personne connectée, pour elle seule", signed_in, {
        "tokens:list": READ, "tokens:make": BOTH,
    }),
    Family("Un jeton d’accès", "la personne à qui il est : ici, personne n’en a", only(lambda who: False), {
        "tokens:revoke": SEND,
    }),
    Family("Une session, une clé d’accès, un second facteur", "la personne à qui ils sont : ici, personne n’en a",
           only(lambda who: False), {
        "accounts:end_session": SEND, "mfa_remove_webauthn": BOTH, "mfa_edit_webauthn": BOTH,
        "mfa_deactivate_totp": BOTH, "mfa_view_recovery_codes": READ,
    }),
    # -- Without an account --
    Family("Entrée", "tout le monde", public, {
        "account_login": BOTH, "account_logout": BOTH, "account_inactive": READ,
        "account_email_verification_sent": READ, "account_confirm_email": READ, "account_reset_password": BOTH,
        "account_reset_password_done": READ, "account_reset_password_from_key": BOTH,
        "account_reset_password_from_key_done": READ, "mfa_authenticate": BOTH,
    }),
    Family("Pages publiques", "tout le monde", public, {
        "alive": READ, "ready": READ, "accessibility": READ, "help": READ, "shortcuts": READ, "legal": READ,
        "site_map": READ, "ecodesign": READ,
    }),
    # -- Programs --
    Family("Interface FHIR", "qui montre un jeton : jamais une session", by_token, {
        "fhir_base": EVERY,
        **{f"fhir:{name}": EVERY for name in (
            "root", "type", "resource", "search", "history", "type_history", "version", "everything", "export",
        )},
    }),
    Family("Interface FHIR, autres adresses", "personne", unknown, {"fhir:nowhere": BOTH}),
    Family("Interface FHIR, ce qu’elle dit d’elle-même", "tout le monde", public, {
        "fhir:metadata": READ, "fhir:openapi": READ, "fhir:export_definition": READ, "smart_configuration": READ,
    }),
    Family("Jeton d’un logiciel", "tout le monde : la page demande le secret d’un logiciel, jamais une session "
           "(tests/habilitations/test_clients.py)", public, {"api_token": SEND}),
    Family("N’existe pas", "personne : un nom que la bibliothèque cherche, une adresse dont la clé est inconnue, une "
           "boîte de développement", nobody, {
        "account_signup": BOTH, "account_confirm_email": SEND, "outbox:mailbox": READ, "outbox:read_mail": READ,
    }),
)  # fmt: skip

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# The pages of the sign-in library answer other methods as it likes, without a row of ours: asked by these only.
LIBRARY = re.compile(r"^(account|mfa)_(?!list_webauthn)")
LIBRARY_METHODS = ("GET", "POST")


def table() -> dict[tuple[str, str], Rule]:
    """Return {(route, method): rule}. Raises ValueError for a line said twice."""
    said: dict[tuple[str, str], Rule] = {}
    for family in FAMILIES:
        for route, methods in family.routes.items():
            for method in methods.split():
                if said.setdefault((route, method), family.rule) is not family.rule:
                    raise ValueError(f"{route} {method} stands in two families")
    return said


def answer_of(rules: Mapping[tuple[str, str], Rule], route: str, method: str, who: Who) -> str:
    """Return the answer owed. A method of no line is refused to who is signed in, whoever he is."""
    if rule := rules.get((route, method)):
        return rule(who)
    if any(rules.get((route, other)) is unknown for other in METHODS):
        return ABSENT
    is_open_page = any(rules.get((route, other)) in (public, nobody, by_token) for other in METHODS)
    return METHOD if who.is_signed_in or is_open_page else SIGN_IN
