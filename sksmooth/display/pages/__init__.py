"""Reports of one HTML file each, of an estimator and of the layers of a network."""

from .estimator import estimator_report
from .layers import layers_report
from .page import save_page

__all__ = ["estimator_report", "layers_report", "save_page"]
