"""The approximation of an image by the wavelets of one tree.

One decision tree, grown on all pixels, cuts the image into boxes. The two wavelets of
siblings are multiples of one function, so a cut is one term with one coefficient, and the
terms are orthonormal as those of Haar's basis, but with cuts that fit the image (Dekel and
Leviatan, SIAM J. Numer. Anal. 43, 2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from .._lib.scikit_learn import Interval, validate_params
from .._lib.state import Versioned
from .._lib.text import paragraphs
from ..samples import encode_values, read_samples
from ..trees import Forest, Growth, grow
from ..wavelets import WaveletDecomposition, decompose, kept_values
from .samples import image_samples

__all__ = ["ImageWavelets", "image_wavelets"]


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
        The wavelets, with one entry per node.
    coefficients : ndarray of shape (n_nodes, n_channels), float64
        Coefficient of the cut of every node, ``sqrt(n_l n_r / n) (c_r - c_l)`` for sides
        with means c and n pixels; 0 at leaves.
    order : ndarray of shape (n_terms,), int64
        The nodes that are cut, by falling size of the coefficient.

    See Also
    --------
    sksmooth.images.image_wavelets : Computes it.

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
        """Approximate the image by its mean and its largest terms.

        Parameters
        ----------
        n_terms : int
            Number of terms M; larger values take all of them.

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

    def __str__(self) -> str:
        """Say how few terms describe most of the image."""
        size = " x ".join(map(str, self.shape))
        errors = self.errors
        energy = errors**2
        if energy[0] == 0:
            return f"Image of {size} of one value, without terms."
        n = int(np.argmax(energy <= 0.1 * energy[0]))
        text = (
            f"Image of {size} as {self.n_terms:,} terms; {n:,} of them hold 90 % of its "
            f"variance (error {errors[n]:.2g}, without any {errors[0]:.2g})."
        )
        return paragraphs([text])


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
    sksmooth.wavelet_decomposition : Decomposes any fitted tree or forest.
    sksmooth.images.psnr : Quality of an approximation.

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
    samples = read_samples(*image_samples(image), encode=encode_values)
    growth = Growth(n_estimators=1, max_depth=max_depth, random_state=random_state)
    grown = grow(samples, growth)
    wavelets = decompose(grown, samples)
    coefficients = _coefficients(grown.forest, wavelets)
    size = np.linalg.norm(coefficients, axis=1)
    cuts = np.flatnonzero(size)
    return ImageWavelets(
        shape=np.shape(image),
        forest=grown.forest,
        leaves=grown.leaves[0],
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
