"""Faults made for real: processes that are killed and frozen, a disk that forgets what was not synced, a provider
that errs, and auditors.

`make faults`, or `python -m tests.faults.run --only replies --share 0.1 --seed 7`. Providers and clients keep books of
their own; the auditors read those books and the database, and nothing else, and state the promises.
"""
