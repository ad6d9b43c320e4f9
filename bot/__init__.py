"""Attune asks, understands, and tells a therapist early: everything that touches the world."""

import os

# The signal works on small arrays: threads of numpy's own would only get in each other's way (20 ms instead of 2).
# It must be said before numpy is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
