"""From error curves to a smoothness index, by one of several conventions."""

from .cautions import imprecise
from .conventions import CONVENTIONS, DEFAULT, Convention
from .fit import IndexFit
from .floor import NoiseFloor
from .held_out import (
    HeldOutError,
    Level,
    LevelDifference,
    error_on_others,
    joined,
    least,
    level_difference,
    out_of_bag_errors,
    randomised_error,
)
from .learning_curve import LearningCurve, SureErrors, fit_learning_curve
from .shares import Shares, variance_shares
from .ties import holm, p_values_of_best
from .trend import Move, Rise, rise
from .variance import student_margin, two_sided_p_value, variance_of_difference
from .whole_way import cells_allowed, whole_way_rate
from .window import SAMPLES_PER_CELL, fit_window

__all__ = [
    "CONVENTIONS",
    "DEFAULT",
    "SAMPLES_PER_CELL",
    "Convention",
    "HeldOutError",
    "IndexFit",
    "LearningCurve",
    "Level",
    "LevelDifference",
    "Move",
    "NoiseFloor",
    "Rise",
    "Shares",
    "SureErrors",
    "cells_allowed",
    "error_on_others",
    "fit_learning_curve",
    "fit_window",
    "holm",
    "imprecise",
    "joined",
    "least",
    "level_difference",
    "out_of_bag_errors",
    "p_values_of_best",
    "randomised_error",
    "rise",
    "student_margin",
    "two_sided_p_value",
    "variance_of_difference",
    "variance_shares",
    "whole_way_rate",
]
