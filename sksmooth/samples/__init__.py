"""Labelled samples: read and checked once, encoded, and drawn into subsamples."""

from .checks import reading
from .containers import (
    as_array,
    holds_categories,
    in_memory,
    is_dask,
    number_of_rows,
    read_rows,
)
from .identifiers import are_distinct_numbers, fill_their_range, has_no_name, rise_or_fall
from .kinds import are_labels
from .labels import class_codes, label_codes, label_vector, numbered
from .read import Encoder, read_features, read_samples, refuse_molecules, with_features
from .samples import Samples
from .simplex import SimplexEncoder, nearest_vertex, simplex_vertices
from .targets import Targets, encode_labels, encode_targets, encode_values, output_blocks
from .units import SamplingUnits, draw_bags, group_units, sampling_units
from .wording import are_molecules

__all__ = [
    "Encoder",
    "Samples",
    "SamplingUnits",
    "SimplexEncoder",
    "Targets",
    "are_distinct_numbers",
    "are_labels",
    "are_molecules",
    "as_array",
    "class_codes",
    "draw_bags",
    "encode_labels",
    "encode_targets",
    "encode_values",
    "fill_their_range",
    "group_units",
    "has_no_name",
    "holds_categories",
    "in_memory",
    "is_dask",
    "label_codes",
    "label_vector",
    "nearest_vertex",
    "number_of_rows",
    "numbered",
    "output_blocks",
    "read_features",
    "read_rows",
    "read_samples",
    "reading",
    "refuse_molecules",
    "rise_or_fall",
    "sampling_units",
    "simplex_vertices",
    "with_features",
]
