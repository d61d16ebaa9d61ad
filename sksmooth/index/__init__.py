"""From error curves to a smoothness index, by one of several conventions."""

from .conventions import CONVENTIONS, Convention
from .fit import IndexFit
from .held_out import held_out_rate
from .variance import student_margin, variance_of_difference
from .window import SAMPLES_PER_CELL, fit_window

__all__ = [
    "CONVENTIONS",
    "SAMPLES_PER_CELL",
    "Convention",
    "IndexFit",
    "fit_window",
    "held_out_rate",
    "student_margin",
    "variance_of_difference",
]
