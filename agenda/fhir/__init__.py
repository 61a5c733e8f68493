"""Agendas in FHIR: Schedule, Slot, Appointment, rooms (CI-SIS « Gestion d’agendas partagés » 3.0.0)."""

from agenda.fhir.appointments import APPOINTMENTS
from agenda.fhir.rooms import Rooms
from agenda.fhir.schedules import Schedules
from agenda.fhir.slots import Slots

PROVIDERS = (Schedules(), Slots(), Rooms(), *APPOINTMENTS)
