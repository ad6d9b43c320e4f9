"""Several machines for real: network namespaces joined by a bridge, a PostgreSQL server on one of them, and a network
that is cut. `python -m tests.hosts.run` (or `make faults`) plays it; `test_cut_off.py` plays the short form.
"""
