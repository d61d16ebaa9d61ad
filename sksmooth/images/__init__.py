"""Images as functions on the unit square: their samples and their wavelets."""

from .samples import image_samples, psnr
from .terms import ImageWavelets, image_wavelets

__all__ = ["ImageWavelets", "image_samples", "image_wavelets", "psnr"]
