"""The samples of tests/fhir, sound and spoilt one element at a time: the judge and we refuse the same ones."""

from coordination.fhir import formats, profiles, validation
from tests.fhir import test_profiles, test_validation
from tests.fhir.samples import sample

OF_TYPE = {
    "CareTeam": (test_profiles.test_a_circle_is_refused_where_it_is_wrong,),
    "RelatedPerson": (test_profiles.test_a_related_person_is_refused_where_it_is_wrong,),
    "Organization": (
        test_profiles.test_an_organization_is_refused_where_it_is_wrong,
        test_profiles.test_what_the_slices_leave_open_passes,
    ),
    "Patient": (
        test_validation.test_one_wrong_element_is_named,
        test_validation.test_what_r4_allows_passes,
        test_profiles.test_patients_that_conform,
    ),
    "Practitioner": (test_profiles.test_a_practitioner_is_refused_where_he_is_wrong,),
    "PractitionerRole": (test_profiles.test_a_practitioner_role_is_refused_where_it_is_wrong,),
}


def cases():
    """Yield (name, resource), each declaring the profile of its type."""
    for type_name, functions in OF_TYPE.items():
        for function in functions:
            for number, (changed, *_) in enumerate(_parameters(function)):
                yield f"{function.__name__}-{number}", _declared(sample(type_name, **changed))
    for number, (changed, *_) in enumerate(
        _parameters(test_profiles.test_an_ins_patient_is_refused_where_it_is_wrong)
    ):
        yield f"ins-{number}", _declared(sample("Patient", **{**test_profiles.INS, **changed}))


def _parameters(function):
    (mark,) = [mark for mark in function.pytestmark if mark.name == "parametrize"]
    for one in mark.args[1]:
        values = getattr(one, "values", one) if type(one).__name__ == "ParameterSet" else one
        yield values if isinstance(values, tuple) else (values,)


def _declared(resource):
    meta = resource.get("meta", {})
    said = [profiles.BY_TYPE[resource["resourceType"]], *meta.get("profile", [])]
    return {**resource, "meta": {**meta, "profile": list(dict.fromkeys(said))}}


def write(folder):
    """Write them in a folder; what no parser of FHIR reads (nulls in place of values) is left out."""
    folder.mkdir(parents=True)
    for name, resource in cases():
        body = formats.write_json(resource)
        if b"null" not in body:
            (folder / f"{name}.json").write_bytes(body)


def ours(resource):
    """What we refuse: the places."""
    found = validation.check(resource) or profiles.check(resource)
    return [issue.expression for issue in found if issue.is_error]
