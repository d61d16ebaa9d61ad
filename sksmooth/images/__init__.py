"""Images as functions on the unit square: samples, wavelets, and bytes."""

from .coding import decode_image, encode_image
from .terms import ImageWavelets, image_samples, image_wavelets, psnr

__all__ = [
    "ImageWavelets",
    "decode_image",
    "encode_image",
    "image_samples",
    "image_wavelets",
    "psnr",
]
