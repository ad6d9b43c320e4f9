"""Which provider code means what: one table, with the provider's own words beside each code.

Source: https://www.twilio.com/docs/api/errors (each code has a page of its own there).
"""

from dataclasses import dataclass

STOPPED = "stopped"  # the person opted out at the provider
BAD_ADDRESS = "bad_address"  # this number can't ever get a text: a person must correct it
UNREACHABLE = "unreachable"  # not this time; the next check-in may get through
SET_UP = "set_up"  # our account or sender: an operator must act, nothing is wrong with the client
BUSY = "busy"  # try again soon


@dataclass(frozen=True)
class Code:
    """What to make of a code, in the provider's words and ours."""

    meaning: str
    words: str

    @property
    def permanent(self) -> bool:
        """Whether trying this message again is pointless."""
        return self.meaning in (STOPPED, BAD_ADDRESS, UNREACHABLE)


CODES: dict[int, Code] = {
    14107: Code(BUSY, "SMS send rate limit exceeded"),
    20003: Code(SET_UP, "Authentication error: permission denied"),
    20005: Code(SET_UP, "Account not active"),
    20404: Code(SET_UP, "The requested resource was not found"),
    20429: Code(BUSY, "Too many requests"),
    21210: Code(SET_UP, "'From' phone number not verified"),
    21211: Code(BAD_ADDRESS, "Invalid 'To' phone number"),
    21212: Code(SET_UP, "Invalid 'From' number"),
    21214: Code(BAD_ADDRESS, "'To' phone number cannot be reached"),
    21217: Code(BAD_ADDRESS, "Phone number does not appear to be valid"),
    21265: Code(BAD_ADDRESS, "'To' number cannot be a Short Code"),
    21266: Code(BAD_ADDRESS, "'To' and 'From' numbers cannot be the same"),
    21408: Code(SET_UP, "Permission to send an SMS has not been enabled for the region"),
    21602: Code(SET_UP, "Message body is required"),
    21603: Code(SET_UP, "A source phone number ('From') is required to send an SMS"),
    21604: Code(BAD_ADDRESS, "'To' phone number is required to send a Message"),
    21606: Code(SET_UP, "The 'From' phone number is not valid for this message"),
    21608: Code(SET_UP, "The number is unverified: trial accounts cannot send to it"),
    21609: Code(SET_UP, "Invalid 'StatusCallback' URL"),
    21610: Code(STOPPED, "Attempt to send to unsubscribed recipient"),
    21611: Code(BUSY, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: Code(BAD_ADDRESS, "Message cannot be sent with the current combination of 'To' and/or 'From'"),
    21614: Code(BAD_ADDRESS, "'To' number is not a valid mobile number"),
    21617: Code(SET_UP, "The concatenated message body exceeds the 1600 character limit"),
    21624: Code(SET_UP, "Invalid validity period value"),
    21635: Code(BAD_ADDRESS, "'To' number cannot be a landline"),
    21701: Code(SET_UP, "The Messaging Service does not exist"),
    21703: Code(SET_UP, "The Messaging Service does not contain a phone number"),
    30001: Code(BUSY, "Queue overflow"),
    30002: Code(SET_UP, "Account suspended"),
    30003: Code(UNREACHABLE, "Unreachable destination handset"),
    30004: Code(UNREACHABLE, "Message blocked"),
    30005: Code(BAD_ADDRESS, "Unknown destination handset"),
    30006: Code(BAD_ADDRESS, "Landline or unreachable carrier"),
    30007: Code(UNREACHABLE, "Message filtered"),
    30008: Code(UNREACHABLE, "Unknown error"),
    30022: Code(BUSY, "US A2P 10DLC: rate limits exceeded"),
    30034: Code(SET_UP, "US A2P 10DLC: message from an unregistered number"),
    30036: Code(UNREACHABLE, "Validity period expired"),
    63038: Code(SET_UP, "Account exceeded the daily messages limit"),
}


OURS = (401, 403, 404, 405, 407)  # about our account, its address or a proxy; no client's number is at fault


def code(number: int | None, status: int) -> Code:
    """What to make of an error code, or of the bare HTTP status when the code is unknown.

    An unknown 4xx is a definite no to this message, unless its status is one of `OURS`.
    """
    if number in CODES:
        return CODES[number]
    if status == 429:
        return Code(BUSY, "Too many requests")
    if status in OURS:
        return Code(SET_UP, f"The provider's address or our account is wrong (status {status})")
    return Code(UNREACHABLE, f"Refused with status {status}")
