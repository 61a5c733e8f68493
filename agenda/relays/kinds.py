"""What is exchanged of agendas, under the names kept in the queue."""

APPOINTMENT = "agenda.appointment"
SCHEDULE = "agenda.schedule"
TAKEN_THERE = "agenda.taken_there"
BUSY_THERE = "agenda.busy_there"
