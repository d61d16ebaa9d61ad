"""An image as samples of a function on the unit square."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from .._lib.scikit_learn import Interval, validate_params
from ..samples import reading

__all__ = ["image_samples", "psnr"]

_CHANNELS = (1, 3, 4)  # grey, colour, and colour with opacity


def image_samples(image: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Convert an image to samples of a function on the unit square, one per pixel.

    Parameters
    ----------
    image : array-like of shape (n_rows, n_columns) or (n_rows, n_columns, n_channels)
        Grey or colour image. Pixels of type uint8, uint16 or bool are divided by their
        largest possible value; floating-point ones are taken as they are.

    Returns
    -------
    X : ndarray of shape (n_pixels, 2), float64
        Centres of the pixels in the unit square: how far down, and how far right.
    y : ndarray of shape (n_pixels,) or (n_pixels, n_channels), float64
        Values of the pixels.

    See Also
    --------
    sksmooth.BesovSmoothnessEstimator : Measures the smoothness of the image.

    Notes
    -----
    Measured by trees, whose functions are constant on boxes, a jump along a smooth curve
    and a smooth image both have the index 1/2; a random surface of Hurst exponent H has
    H/2. The values of a black and white image are better used as classes, by
    ``y.astype(int)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth import BesovSmoothnessEstimator
    >>> from sksmooth.images import image_samples
    >>> rows, columns = np.mgrid[:128, :128] / 128
    >>> smooth = np.sin(3 * rows + columns**2)
    >>> estimator = BesovSmoothnessEstimator(random_state=0)
    >>> bool(0.4 < estimator.fit(*image_samples(smooth)).alpha_ < 0.6)
    True
    """
    values = _pixel_values(image)
    n_rows, n_columns = values.shape[:2]
    rows, columns = np.mgrid[:n_rows, :n_columns]
    X = np.stack(
        [(rows.ravel() + 0.5) / n_rows, (columns.ravel() + 0.5) / n_columns], axis=1
    )
    return X, values.reshape(-1, *values.shape[2:])


@validate_params(
    {
        "image": ["array-like"],
        "approximation": ["array-like"],
        "data_range": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def psnr(image: ArrayLike, approximation: ArrayLike, data_range: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB, ``20 log10(data_range / error)``.

    If the M-term error falls like ``M^(-alpha)``, it grows by ``20 alpha`` dB whenever
    the number of terms grows tenfold.

    Parameters
    ----------
    image, approximation : array-like of the same shape
        Images as :func:`image_samples` takes them.
    data_range : float, default=1.0
        Largest minus smallest possible value of a pixel.

    Returns
    -------
    ratio : float
        Larger is better; infinite if the images are equal.

    See Also
    --------
    sksmooth.images.image_wavelets : Returns approximations.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.images import psnr
    >>> print(f"{psnr(np.zeros((8, 8)), np.full((8, 8), 0.1)):.1f}")
    20.0
    """
    first, second = _pixel_values(image), _pixel_values(approximation)
    if first.shape != second.shape:
        raise ValueError(f"The images differ in shape: {first.shape} and {second.shape}.")
    squared_error = np.mean((first - second) ** 2)
    if squared_error == 0:
        return np.inf
    return float(20 * np.log10(data_range) - 10 * np.log10(squared_error))


def _pixel_values(given: ArrayLike) -> np.ndarray:
    image = np.asarray(given)
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(
            "An image has two dimensions, or three if it is in colour, none of them empty; "
            f"got shape {image.shape}."
        )
    if image.ndim == 3 and image.shape[0] in _CHANNELS and image.shape[2] > max(_CHANNELS):
        raise ValueError(
            f"The channels of an image come last, but its shape is {image.shape}; pass "
            "np.moveaxis(image, 0, -1)."
        )
    if image.dtype.kind == "u" and image.itemsize <= 2:
        image = image / np.iinfo(image.dtype).max
    elif image.dtype.kind not in "fb":
        raise ValueError(
            f"The pixels are of type {image.dtype}, whose largest value is unknown; pass "
            "uint8, uint16 or bool, or divide them by it."
        )
    with reading(given, "image"):
        return check_array(image, dtype=np.float64, allow_nd=True, input_name="image")
