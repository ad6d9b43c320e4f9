"""How a reply was read, in plain English for a therapist: why a question was left open, what kind of message it was.

The rules are those of `surveys.replies` (S1 to S21) and of the form (W1, W2).
"""

_LEFT_OPEN = {
    "S2": "more or fewer digits than questions",
    "S3": "only other questions were named",
    "S4": "not clear whether it was said for this question too",
    "S5": "fewer answers than questions",
    "S6": "more numbers than questions",
    "S7": "one rating, and several questions it could be for",
    "S8": "two different answers",
    "S9": "the number and the word beside it disagree",
    "S10": "between two points of the scale",
    "S11": "only roughly a point of the scale",
    "S12": "outside the scale of 1 to 5",
    "S14": "said what it is not",
    "S15": "no number and no word of the scale",
    "S16": "emoji don't count as answers",
    "S17": "the number is about something else",
    "S19": "passed over by the client",
    "S20": "instructions or code",
    "W2": "left out on the form",
}
_KINDS = {
    "unread": "The program failed to read this message, so nothing was taken from it.",
    "late": "It came after the check-in had closed, so nothing was taken from it.",
    "autoreply": "An automatic reply; nothing is taken from those.",
    "skip": "They would rather not answer.",
    "help": "They asked who is writing.",
    "optin": "They asked for check-ins again.",
    "wrong_person": "They said that the number is someone else's.",
    "out_of_range": "A number outside 1 to 5; it wasn't rescaled.",
    "unclear": "Nothing in it could be taken for an answer.",
}
_MENTIONS = {
    "denial": "It mentions danger and denies it. Raised as a note here only, not as an alarm.",
    "past": "It mentions danger in the past. Raised as a note here only, not as an alarm.",
}


def left_open(rule: str) -> str:
    """Why a question got no score."""
    return _LEFT_OPEN.get(rule, "not said clearly enough")


def kind(name: str) -> str:
    """What a message was, where it held no answers; empty where there is nothing to say of that."""
    return _KINDS.get(name, "")


def mention(note: str) -> str:
    """Words of danger that were no alarm."""
    return _MENTIONS.get(note, f"It mentions danger; read as: {note}. Not raised as an alarm.")
