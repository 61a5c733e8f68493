from datetime import UTC

import factory

from coordination.outbox.models import Message, State


class MessageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Message

    class Params:
        sent = factory.Trait(state=State.ENVOYE, sent_at=factory.Faker("date_time_this_month", tzinfo=UTC))

    kind = "test.mail"
    to = factory.Sequence(lambda n: f"personne{n}@courrier.example")
    subject = "Un message"
    text = "Bonjour"
    message_id = factory.Sequence(lambda n: f"<{n}@courrier.example>")
