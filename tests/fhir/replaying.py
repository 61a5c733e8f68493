"""The same calls made twice at the same moment (REL-7)."""

import threading

from django.db import connection
from django.test import Client

from tests.fhir.api import Api

# REL-7: two calls at once, fifty times.
TIMES = 50
# By what a creation is known again, and how many times it is tried: a condition is a search, each time, which takes
# longer than a key, and waits behind the same kind of lock.
WAYS = [("key", TIMES), ("condition", TIMES // 5)]
SYSTEM = "https://hopital.example/creations"


def twice(headers, calls):
    """Make each of these calls twice at the same moment, one after another; return the pairs of answers."""
    together, answers = threading.Barrier(2), ([], [])

    def run(mine):
        api = Api(Client(), headers)
        for call in calls:
            together.wait(60)
            mine.append(call(api))
        connection.close()

    threads = [threading.Thread(target=run, args=[mine]) for mine in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(zip(*answers, strict=True))


def place(answer):
    """Return "Type/id" of what was created, or found."""
    said = answer.headers.get("Location") or answer.headers["Content-Location"]
    return "/".join(said.split("/_history")[0].rsplit("/", 2)[1:])


def condition_of(body):
    one = body["identifier"][0]
    return f"identifier={one['system']}|{one['value']}"


def create_twice(headers, name, bodies, by):
    """Create each of these resources twice at once, `by` a key or a condition; return their ids.

    Each is given an identifier of its own, typed as the first it had, by which its condition finds it.
    """
    bodies = [
        body | {"identifier": [(body.get("identifier") or [{}])[0] | {"system": SYSTEM, "value": str(turn)}]}
        for turn, body in enumerate(bodies)
    ]
    named = [
        {"Idempotency_Key": f"{name}-{turn}"} if by == "key" else {"If_None_Exist": condition_of(body)}
        for turn, body in enumerate(bodies)
    ]
    pairs = twice(
        headers,
        [lambda api, b=b, h=h: api.post(name, b, **h) for b, h in zip(bodies, named, strict=True)],
    )
    statuses = {tuple(sorted(one.status_code for one in pair)) for pair in pairs}
    assert statuses == {(201, 201) if by == "key" else (200, 201)}, (name, pairs[0][0].content)
    assert [place(one) for one, _ in pairs] == [place(other) for _, other in pairs]
    if by == "key":
        assert Api(Client(), headers).post(name, bodies[0] | {"language": "fr"}, **named[0]).status_code == 422, name
    ids = [place(one).partition("/")[2] for one, _ in pairs]
    assert len(set(ids)) == len(bodies), name
    return ids
