"""Whether a webhook really comes from Twilio.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from collections.abc import Mapping, Sequence

from twilio.request_validator import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, RequestValidator
from twilio.request_validator import get_signature_algorithm as algorithm_of


def is_signed(tokens: Sequence[str], url: str, form: object, headers: Mapping[str, str]) -> bool:
    """Whether `form` (all its values), posted to `url`, carries a signature by any of our tokens.

    There are several tokens while one is being changed for another. A signature that isn't one is no error.
    """
    signature = headers.get(SIGNATURE_HEADER, "")
    if not signature.isascii():
        return False
    algorithm = algorithm_of(headers.get(SIGNATURE_SETTINGS_HEADER))
    return any(RequestValidator(token).validate(url, form, signature, algorithm) for token in tokens)
