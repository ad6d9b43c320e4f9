"""Faults made for real: worker processes that are killed and frozen, a provider that errs, and an auditor.

`python -m tests.faults.run --kills 2000 --seed 7` (or `make faults`). The provider keeps its own book; the auditor
reads that book and the database, and nothing else, and states the promises.
"""
