"""The words of the managers' pages for what is stored as a key."""

STANDS = {
    "asked": "Is asked",
    "no_consent": "No consent",
    "stopped": "Opted out",
    "paused": "Paused",
    "unreachable": "No number",
    "on_hold": "On hold",
    "discharged": "Discharged",
    "died": "Died",
}
FILTERS = [
    ("all", "Everyone"),
    ("asked", "Are asked"),
    ("no_consent", "No consent"),
    ("stopped", "Opted out"),
    ("paused", "Paused"),
    ("unreachable", "No number or address"),
    ("on_hold", "On hold"),
    ("discharged", "Discharged"),
    ("died", "Died"),
]
LANGUAGES = [("en", "English"), ("es", "Spanish"), ("fr", "French")]
CHANNELS = [("sms", "Text message"), ("email", "E-mail")]
SOURCES = [("", "Choose"), ("paper", "On paper"), ("online", "In an online form"), ("spoken", "In conversation"),
           ("roster", "It came with the roster")]  # fmt: skip
EVENTS = {
    "given": "agreed",
    "stopped": "opted out",
    "restored": "came back",
    "resumed": "check-ins were resumed",
    "wrong number": "the number or address was someone else's",
}
BY = {
    "roster": "by the roster",
    "reply": "by their own message",
    "provider": "by the carrier",
    "practice": "told to the practice",
    "paper": "on paper",
    "online": "in an online form",
    "spoken": "in conversation",
    "wrong number": "by a reply",
}
ROLES = {
    "manager": "Manager",
    "therapist": "Therapist",
    "supervisor": "Supervisor",
    "second": "Second contact",
    "duty": "Duty contact",
    "privacy": "Privacy contact",
}
MESSAGES = {
    "welcome": "the welcome",
    "check_in": "the question",
    "reminder": "a reminder",
    "reply": "an answer to their message",
    "closed": "that a check-in is closed",
    "stopped": "that nothing more is sent",
    "help": "an answer to HELP",
    "started": "that check-ins go on",
    "wrong_person": "that the number is let go",
    "unexpected": "an answer to their message",
}
