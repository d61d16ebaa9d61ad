"""Labelled samples: read and checked once, encoded, and drawn into subsamples."""

from .checks import number_of_rows, read_rows, reading
from .labels import class_codes
from .read import read_features, read_samples, with_features
from .samples import Samples
from .simplex import SimplexEncoder, nearest_vertex, simplex_vertices
from .targets import Targets, encode_labels, encode_targets, encode_values
from .units import SamplingUnits, draw_bags, group_units, sampling_units

__all__ = [
    "Samples",
    "SamplingUnits",
    "SimplexEncoder",
    "Targets",
    "class_codes",
    "draw_bags",
    "encode_labels",
    "encode_targets",
    "encode_values",
    "group_units",
    "nearest_vertex",
    "number_of_rows",
    "read_features",
    "read_rows",
    "read_samples",
    "reading",
    "sampling_units",
    "simplex_vertices",
    "with_features",
]
