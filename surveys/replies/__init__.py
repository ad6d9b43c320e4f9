"""What a client's reply says: scores, comment, flags, and which words and rules led there."""

from surveys.replies.decide import Because, Reply, parse

__all__ = ["Because", "Reply", "parse"]
