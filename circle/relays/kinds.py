"""What is exchanged of a circle, under the names kept in the queue."""

SEND = "circle.send"
RECEIVE = "circle.receive"
EVERY = (SEND, RECEIVE)
