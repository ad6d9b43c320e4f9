"""The rapport signal: is rapport down now, compared with this client's own usual, since when, in which feelings?"""

from surveys.rapport.asking import choose
from surveys.rapport.belief import Belief, Observation
from surveys.rapport.explaining import Explanation, Fall, Range, Recovery
from surveys.rapport.filtering import assess, begin, update
from surveys.rapport.history import Kept, digest, folded
from surveys.rapport.learning import CURVE_CLIENTS, ENOUGH_ANSWERED, ENOUGH_PAIRS, enough, fit, held_out, score
from surveys.rapport.model import Model, default_model
from surveys.rapport.starting import explain_start, start
from surveys.rapport.telling import Band

__all__ = [
    "CURVE_CLIENTS",
    "ENOUGH_ANSWERED",
    "ENOUGH_PAIRS",
    "Band",
    "Belief",
    "Explanation",
    "Fall",
    "Kept",
    "Model",
    "Observation",
    "Range",
    "Recovery",
    "assess",
    "begin",
    "choose",
    "default_model",
    "digest",
    "enough",
    "explain_start",
    "fit",
    "folded",
    "held_out",
    "score",
    "start",
    "update",
]
