"""A key is rotated while everything goes on: links, sessions, encrypted columns (SECT-25)."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import models

from agenda.actions.schedules import schedule_of
from agenda.models import OwnCalendar
from circle import links
from circle.invitation import Invitation
from coordination.accounts import drafts
from coordination.common import cipher
from coordination.operations import rekeying
from coordination.partners.models import Partner
from tests.accounts.factories import UserFactory
from tests.partners.factories import SECRET, PartnerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-25")]
NEW = "une-autre-clé-de-cinquante-caractères-au-moins-pour-essai"


def test_each_encrypted_column_is_in_the_list():
    """A column that nobody writes again is lost with the former key."""
    named = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField) and (field.name.endswith("_sealed") or "chiffré" in field.verbose_name)
    }
    assert len(named) >= 4
    assert named | {(Authenticator, "data")} == {(one.model, one.field) for one in rekeying.SEALED}


@pytest.mark.asvs("v5.0.0-11.2.2")
def test_columns_are_written_again_and_the_former_key_is_forgotten(settings, monkeypatch, capsys):
    monkeypatch.setattr(rekeying, "AT_ONCE", 2)
    user = UserFactory()
    partners = [PartnerFactory() for _ in range(5)]
    calendar = OwnCalendar.objects.create(
        schedule=schedule_of(user), name="Cabinet", kind="caldav", host="agenda.exemple",
        address_sealed=cipher.encrypt("https://agenda.exemple/a"), password_sealed=cipher.encrypt("mot de passe"),
    )  # fmt: skip
    drafts.save(user, "compte-profil", user.pk, "texte=en+cours")
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [former]
    call_command("rechiffrer")
    assert "5  secrets des partenaires" in capsys.readouterr().out
    call_command("rechiffrer")
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"0"}, "nothing is left to write"
    settings.SECRET_KEY_FALLBACKS = []
    for partner in Partner.objects.filter(pk__in=[one.pk for one in partners]):
        assert partner.secret == SECRET
    calendar.refresh_from_db()
    assert calendar.address == "https://agenda.exemple/a"
    assert cipher.decrypt(calendar.password_sealed) == "mot de passe"
    assert drafts.load(user, "compte-profil", user.pk)["texte"] == "en cours"
    assert cipher.decrypt(Authenticator.objects.get(type="totp").data["secret"]) == "JBSWY3DPEHPK3PXP"


def test_a_second_factor_put_back_by_a_request_that_had_read_it_is_written_again(settings, monkeypatch):
    """allauth saves the whole of it, without a lock: « codes seen » must not cost the factor once the key is gone."""
    user = UserFactory()
    RecoveryCodes.activate(user)
    reading = [Authenticator.objects.get(user=user)]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [settings.SECRET_KEY]
    once = rekeying._pass

    def passed(sealed):
        done = once(sealed)
        if sealed.model is Authenticator and reading:
            RecoveryCodes(reading.pop()).mark_as_viewed()
        return done

    monkeypatch.setattr(rekeying, "_pass", passed)
    call_command("rechiffrer")
    settings.SECRET_KEY_FALLBACKS = []
    factor = Authenticator.objects.get(user=user)
    assert factor.data["viewed_at"] and RecoveryCodes(factor).get_unused_codes()


def test_what_no_key_opens_is_said_and_left(settings, capsys):
    partner = PartnerFactory()
    settings.SECRET_KEY = NEW
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        call_command("rechiffrer")
    assert "1 illisible" in capsys.readouterr().out.replace("\xa0", " ")
    before = partner.secret_sealed
    partner.refresh_from_db()
    assert partner.secret_sealed == before


def test_links_given_before_still_open(settings):
    invitation = Invitation(email="Invitee@cabinet.example", generation=1)
    token = links.token_of(invitation, links.MAILED)
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [former]
    found = links.read(token)
    assert found and found.proves("invitee@cabinet.example") and not found.proves("autre@cabinet.example")
    settings.SECRET_KEY_FALLBACKS = []
    assert links.read(token) is None
