import factory
from allauth.account.models import EmailAddress
from django.utils import timezone

from coordination.accounts.models import User

PASSWORD = "quatre mots bien choisis"


class EmailAddressFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = EmailAddress

    email = factory.SelfAttribute("user.email")
    verified = True
    primary = True


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        administrator = factory.Trait(is_administrator=True)
        suspended = factory.Trait(is_active=False, suspended_at=factory.LazyFunction(timezone.now))

    email = factory.Sequence(lambda n: f"personne{n}@cabinet.example")
    family_name = "SPÉCIMEN"
    given_name = "Inès"
    password = factory.django.Password(PASSWORD)
    address = factory.RelatedFactory(EmailAddressFactory, factory_related_name="user")
