"""Images as functions on the unit square: samples, wavelets, and bytes."""

from .approximation import ImageWavelets, image_samples, image_wavelets, psnr
from .coding import decode_image, encode_image

__all__ = [
    "ImageWavelets",
    "decode_image",
    "encode_image",
    "image_samples",
    "image_wavelets",
    "psnr",
]
