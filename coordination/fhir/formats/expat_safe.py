"""The parser of the standard library, without what attacks are made of: no document type, no entity, no
instruction."""

from __future__ import annotations

from typing import Any, NoReturn
from xml.parsers import expat


class Forbidden(Exception):
    """What XML allows and FHIR never needs; the message is the French sentence."""


def parser() -> expat.XMLParserType:
    """Return a namespace-aware parser that stops at a document type, an entity or an instruction."""
    made = expat.ParserCreate(encoding="UTF-8", namespace_separator=" ")
    made.buffer_text = True
    made.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    made.StartDoctypeDeclHandler = _no_doctype
    made.EntityDeclHandler = _no_entity
    made.ExternalEntityRefHandler = _no_entity
    made.SkippedEntityHandler = _no_entity
    made.ProcessingInstructionHandler = _no_instruction
    return made


def _no_doctype(*said: Any) -> NoReturn:
    raise Forbidden("Un document FHIR n’a pas de DOCTYPE.")


def _no_entity(*said: Any) -> NoReturn:
    raise Forbidden("Un document FHIR ne définit ni n’appelle d’entité.")


def _no_instruction(*said: Any) -> NoReturn:
    raise Forbidden("Un document FHIR n’a pas d’instruction de traitement.")
