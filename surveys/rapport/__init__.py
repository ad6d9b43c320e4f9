"""The rapport signal: is rapport down now, compared with this client's own usual, since when, in which feelings?"""

from surveys.rapport.asking import choose
from surveys.rapport.belief import Belief, Observation
from surveys.rapport.filtering import assess, begin, update
from surveys.rapport.learning import fit
from surveys.rapport.model import Model, default_model
from surveys.rapport.telling import Band, Explanation

__all__ = [
    "Band",
    "Belief",
    "Explanation",
    "Model",
    "Observation",
    "assess",
    "begin",
    "choose",
    "default_model",
    "fit",
    "update",
]
