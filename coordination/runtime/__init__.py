"""The supervisor: starts and stops what the product needs on one machine. No Django in here.

`bootstrap.py` makes the virtual environment (run by the system's Python, standard library only);
`services.py` gives a private PostgreSQL and Redis to whoever asks; `supervise.py` is `make run`.
"""
