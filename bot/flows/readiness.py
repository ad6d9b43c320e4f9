"""Whether a practice may be let loose on real clients."""

from bot.store import Tx, people
from bot.store.practices import FIRST_NAME, Practice

SETTINGS = {
    "duty_hours": "when the duty contact is reachable, as in duty_hours='Mon-Fri 8-20, weekends by phone'",
    "not_for_appraisal": "the practice confirms with not_for_appraisal=yes that answers are not used for pay, "
    "appraisal, caseload or discipline",
    "local_lines": "what to call in an emergency, as in local_lines='call 911, or call/text 988'",
}
DUTY = "duty_email: who is told of danger when nobody else answers, as in duty_email=dana@example.org"
NAME = "sms_name: how texts are signed, as in sms_name=Riverside"
UNNAMED = ("Your practice", FIRST_NAME)  # what a practice signs with before anyone has named it


def missing_for_going_live(tx: Tx, practice: Practice) -> list[str]:
    """What must be said before a real provider is used, one sentence each; empty when all is there."""
    missing = [f"{key}: {words}" for key, words in SETTINGS.items() if not practice.settings.get(key)]
    if practice.sms_name in UNNAMED:
        missing.append(NAME)
    return missing if people.with_role(tx, practice.id, "duty") else [*missing, DUTY]
