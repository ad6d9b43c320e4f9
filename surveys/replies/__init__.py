"""What a client's reply says: scores, comment, flags, and which words and rules led there."""

from surveys.replies.decide import Because, Looked, Reply, look, parse
from surveys.replies.readings import Reading, readings

__all__ = ["Because", "Looked", "Reading", "Reply", "look", "parse", "readings"]
