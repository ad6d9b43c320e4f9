"""Attune asks, understands, and tells a therapist early: everything that touches the world."""
