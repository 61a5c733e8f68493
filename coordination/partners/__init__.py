"""Other installations that keep circles: what is sent to them and asked of them, in a queue that people can see."""
