"""An image as a function on the unit square, and its approximation by tree wavelets.

One decision tree, grown on all pixels, cuts the image into boxes. The two wavelets of
siblings are multiples of one function, so a cut is one term with one coefficient, and
the terms are orthonormal as those of Haar's basis, but with cuts where the image wants
them (Dekel and Leviatan, SIAM J. Numer. Anal. 43, 2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from .._lib.scikit_learn import Interval, validate_params
from .._lib.state import Versioned
from ..samples.checks import reading
from ..samples.samples import Samples
from ..samples.targets import encode_numbers
from ..trees import Forest, Growth, grow
from ..wavelets.decomposition import WaveletDecomposition, decompose, kept_values

__all__ = ["ImageWavelets", "image_samples", "image_wavelets", "psnr"]


@dataclass(frozen=True, eq=False)
class ImageWavelets(Versioned):
    """The wavelets of one tree on the pixels of an image, cut by cut.

    A term is a cut of a box in two, with both of its wavelets. All arrays are read-only.

    Attributes
    ----------
    shape : tuple of int
        Shape of the image.
    forest : Forest
        The tree: its cuts, in the coordinates of :func:`image_samples`.
    leaves : ndarray of shape (n_pixels,), int32
        Leaf of every pixel.
    decomposition : WaveletDecomposition
        The wavelets, with one entry a node.
    coefficients : ndarray of shape (n_nodes, n_channels), float64
        Coefficient of the cut of every node, ``sqrt(n_l n_r / n) (c_r - c_l)`` for sides
        with means c and n pixels; 0 at leaves.
    order : ndarray of shape (n_terms,), int64
        The nodes that are cut, by falling size of the coefficient.

    See Also
    --------
    sksmooth.images.image_wavelets : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.images import image_wavelets
    >>> rows, columns = np.mgrid[:32, :32]
    >>> wavelets = image_wavelets((rows < 16).astype(float), random_state=0)
    >>> wavelets.n_terms, wavelets.approximate(1).shape
    (1, (32, 32))
    """

    shape: tuple[int, ...]
    forest: Forest
    leaves: np.ndarray
    decomposition: WaveletDecomposition
    coefficients: np.ndarray
    order: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.leaves, self.coefficients, self.order):
            array.setflags(write=False)

    @property
    def n_terms(self) -> int:
        """Number of terms: cuts whose coefficient is not zero."""
        return len(self.order)

    @property
    def errors(self) -> np.ndarray:
        """Root mean squared error with M = 0, 1, ... terms, over pixels and channels.

        By Parseval's identity it is the energy of the terms that are left out.
        """
        energy = np.sum(self.coefficients[self.order] ** 2, axis=1)
        left_out = np.append(np.cumsum(energy[::-1])[::-1], 0.0)
        return np.sqrt(left_out / np.prod(self.shape))

    def approximate(self, n_terms: int) -> np.ndarray:
        """The image from its mean and its largest terms.

        Parameters
        ----------
        n_terms : int
            Number of terms M; more than there are is all of them.

        Returns
        -------
        image : ndarray of shape ``shape``, float64
            The M-term approximation. Its values can lie a little outside the range of
            the image's.
        """
        if not isinstance(n_terms, Integral) or n_terms < 0:
            raise ValueError(f"n_terms must be a whole number >= 0, got {n_terms!r}.")
        tree, wavelets = self.forest.trees[0], self.decomposition
        cuts = self.order[:n_terms]
        values = kept_values(wavelets, np.append(tree.left[cuts], tree.right[cuts]))
        return values[self.leaves].reshape(self.shape)

    def __repr__(self) -> str:
        return f"ImageWavelets(shape={self.shape}, n_terms={self.n_terms})"


def image_samples(image: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Take an image as samples of a function on the unit square, one a pixel.

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
    A jump along a smooth curve and a smooth image both have the index 1/2 if trees
    measure it, whose functions are constant on boxes; a random surface of Hurst exponent
    H has H/2. The values of a black and white image are better taken for classes, by
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


def _pixel_values(given: ArrayLike) -> np.ndarray:
    image = np.asarray(given)
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(
            "An image has two dimensions, or three if it is in colour, none of them empty; "
            f"got shape {image.shape}."
        )
    if image.dtype.kind == "u" and image.itemsize <= 2:
        image = image / np.iinfo(image.dtype).max
    elif image.dtype.kind not in "fb":
        raise ValueError(
            f"The pixels are of type {image.dtype}, whose largest value is not known; "
            "pass uint8, uint16 or bool, or divide them by it."
        )
    with reading(given, "image"):
        return check_array(image, dtype=np.float64, allow_nd=True, input_name="image")


@validate_params(
    {
        "image": ["array-like"],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def image_wavelets(
    image: ArrayLike,
    *,
    max_depth: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> ImageWavelets:
    """Decompose an image into the wavelets of one tree that is grown on its pixels.

    Its cuts are those that leave the smallest squared error [1]_.

    Parameters
    ----------
    image : array-like of shape (n_rows, n_columns) or (n_rows, n_columns, n_channels)
        Grey or colour image, as :func:`image_samples` takes it.
    max_depth : int, default=None
        Largest depth of the tree. None grows it until the boxes are of one colour.
    random_state : int, RandomState instance or None, default=None
        Seed of ties between cuts.

    Returns
    -------
    wavelets : ImageWavelets
        The terms, of which ``approximate`` keeps the largest.

    See Also
    --------
    sksmooth.images.encode_image : Writes them as bytes.

    References
    ----------
    .. [1] S. Dekel and D. Leviatan, *Adaptive multivariate approximation using binary
       space partitions and geometric wavelets*, SIAM J. Numer. Anal. 43 (2005).

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.images import image_wavelets, psnr
    >>> image = np.zeros((32, 32))
    >>> image[5:20, 8:30] = 1.0
    >>> wavelets = image_wavelets(image, random_state=0)
    >>> wavelets
    ImageWavelets(shape=(32, 32), n_terms=4)
    >>> [round(psnr(image, wavelets.approximate(m)), 1) for m in (0, 2)]
    [6.6, 10.8]
    >>> psnr(image, wavelets.approximate(4)) > 100
    True
    """
    X, y = image_samples(image)
    targets = encode_numbers(y)
    values, weights = targets.values, np.ones(len(y))
    grown = grow(
        Samples(X, y, targets, weights, None),
        Growth(n_estimators=1, max_depth=max_depth, random_state=random_state),
    )
    forest, bags, leaves = grown.forest, grown.bags, grown.leaves
    wavelets = decompose(forest, leaves, values, bags)
    coefficients = _coefficients(forest, wavelets)
    size = np.linalg.norm(coefficients, axis=1)
    cuts = np.flatnonzero(size)
    return ImageWavelets(
        shape=np.shape(image),
        forest=forest,
        leaves=leaves[0],
        decomposition=wavelets,
        coefficients=coefficients,
        order=cuts[np.argsort(-size[cuts], kind="stable")],
    )


def _coefficients(forest: Forest, wavelets: WaveletDecomposition) -> np.ndarray:
    tree = forest.trees[0]
    cut = np.flatnonzero(tree.left >= 0)
    left, right, count = tree.left[cut], tree.right[cut], wavelets.count
    coefficients = np.zeros_like(wavelets.psi)
    scale = np.sqrt(count[left] * count[right] / count[cut])
    coefficients[cut] = scale[:, None] * (wavelets.psi[right] - wavelets.psi[left])
    return coefficients


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
    sksmooth.images.image_wavelets : Gives approximations.

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
