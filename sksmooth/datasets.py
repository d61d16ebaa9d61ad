"""Functions of known smoothness or ruggedness, and labels with known errors."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_random_state, column_or_1d

from ._lib.scikit_learn import Interval, StrOptions, validate_params
from .samples import as_array, numbered

__all__ = [
    "corrupt_labels",
    "make_known_smoothness",
    "make_mount_fuji",
    "make_nk_landscape",
]


def _smooth(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    return np.sin(np.pi * (X + rng.uniform(size=X.shape[1]))).sum(axis=1)


def _linear(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    return X.sum(axis=1)


def _jump(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    # Concentric spheres, the outermost of which fits into the unit cube: every interface
    # is smooth and (d - 1)-dimensional.
    radius = np.linalg.norm(X - 0.5, axis=1)
    edges = 0.45 * np.arange(1, n_classes) / (n_classes - 1)
    return np.searchsorted(edges, radius)


def _weierstrass(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    # sum_k 2^(-s k) cos(2 pi 2^k x + phase) has Hoelder exponent s at every point. The sum
    # is truncated where the frequency is far above any sampling rate.
    x = X[:, 0]
    phases = rng.uniform(0, 2 * np.pi, size=24)
    return sum(
        2.0 ** (-exponent * k) * np.cos(2 * np.pi * 2.0**k * x + phase)
        for k, phase in enumerate(phases)
    )


def _hoelder(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    # Takagi-Landsberg with random signs: sum_k 2^(-s k) +-dist(2^k x, integers).
    x = X[:, 0]
    signs = rng.choice([-1.0, 1.0], size=24)
    return sum(
        sign * 2.0 ** (-exponent * k) * np.abs(2.0**k * x - np.round(2.0**k * x))
        for k, sign in enumerate(signs)
    )


def _fractional_brownian(
    X: np.ndarray, exponent: float, n_classes: int, rng: Any
) -> np.ndarray:
    # Stationary fractional Gaussian noise by circulant embedding (Davies & Harte,
    # Biometrika 1987), summed to a path on a grid finer than the samples.
    n_grid = 1 << max(14, int(np.ceil(np.log2(4 * len(X)))))
    lag = np.arange(n_grid + 1, dtype=float)
    covariance = 0.5 * (
        (lag + 1) ** (2 * exponent)
        - 2 * lag ** (2 * exponent)
        + np.abs(lag - 1) ** (2 * exponent)
    )
    circulant = np.concatenate([covariance, covariance[-2:0:-1]])
    spectrum = np.sqrt(np.maximum(np.fft.fft(circulant).real, 0) / len(circulant))
    noise = rng.standard_normal(len(circulant)) + 1j * rng.standard_normal(len(circulant))
    path = np.cumsum(np.fft.fft(spectrum * noise).real[:n_grid]) * n_grid**-exponent
    return np.interp(X[:, 0], np.linspace(0, 1, n_grid + 1), np.append(0, path))


def _boxes(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    # The first column is split into n_classes intervals and at most two more columns into
    # halves, at random places; adjacent boxes always belong to different classes.
    edges = (np.arange(1, n_classes) + rng.uniform(-0.3, 0.3, n_classes - 1)) / n_classes
    halves = rng.uniform(0.35, 0.65, size=X[:, 1:3].shape[1])
    box = np.searchsorted(edges, X[:, 0]) + (X[:, 1:3] > halves).sum(axis=1)
    return box % n_classes


def _noise(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    return rng.standard_normal(len(X))


def _noise_labels(X: np.ndarray, exponent: float, n_classes: int, rng: Any) -> np.ndarray:
    return rng.randint(n_classes, size=len(X))


# kind -> (function, true index from (relevant columns d, exponent s), is classification)
_KINDS: dict[str, tuple[Callable, Callable[[int, float], float], bool]] = {
    "smooth": (_smooth, lambda d, s: 1 / d, False),
    "linear": (_linear, lambda d, s: 1 / d, False),
    "jump": (_jump, lambda d, s: np.inf if d == 1 else 1 / (2 * (d - 1)), True),
    "hoelder": (_hoelder, lambda d, s: s, False),
    "weierstrass": (_weierstrass, lambda d, s: s, False),
    "fractional-brownian": (_fractional_brownian, lambda d, s: s, False),
    "boxes": (_boxes, lambda d, s: np.inf, True),
    "noise": (_noise, lambda d, s: 0.0, False),
    "noise-labels": (_noise_labels, lambda d, s: 0.0, True),
}
_ONE_VARIABLE = ("hoelder", "weierstrass", "fractional-brownian")


@validate_params(
    {
        "kind": [StrOptions(set(_KINDS))],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_relevant": [Interval(Integral, 1, None, closed="left"), None],
        "n_irrelevant": [Interval(Integral, 0, None, closed="left")],
        "n_classes": [Interval(Integral, 2, None, closed="left")],
        "exponent": [Interval(Real, 0, 1, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_known_smoothness(
    kind: str = "smooth",
    n_samples: int = 2000,
    *,
    n_relevant: int | None = None,
    n_irrelevant: int = 0,
    n_classes: int = 2,
    exponent: float = 0.5,
    noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sample a function whose smoothness index is known.

    The index is the rate ``alpha`` in ``sigma_M ~ M^(-alpha)``, where ``sigma_M`` is the
    L2 error of the best approximation by M terms that are constant on boxes [1]_.

    Parameters
    ----------
    kind : str, default="smooth"
        The function:

        - ``"smooth"`` (a sum of sines) and ``"linear"``: smooth in ``n_relevant``
          variables, index ``1 / n_relevant``;
        - ``"jump"``: ``n_classes`` classes between concentric spheres in
          ``n_relevant`` dimensions, index ``1 / (2 (n_relevant - 1))``;
        - ``"hoelder"`` (Takagi-Landsberg), ``"weierstrass"`` and
          ``"fractional-brownian"``: rough everywhere in one variable, index
          ``exponent``;
        - ``"boxes"``: classes on finitely many boxes, index infinity;
        - ``"noise"`` (regression) and ``"noise-labels"`` (classes): index 0.
    n_samples : int, default=2000
        Number of rows, drawn uniformly from the unit cube.
    n_relevant : int, default=None
        Number of columns that the function depends on. None means 2, or 1 for the
        functions of one variable, which accept no other value.
    n_irrelevant : int, default=0
        Number of further columns, which do not change the index.
    n_classes : int, default=2
        Number of classes of ``"jump"``, ``"boxes"`` and ``"noise-labels"``.
    exponent : float, default=0.5
        Hoelder exponent in (0, 1) of the functions of one variable.
    noise : float, default=0
        For regression, the standard deviation of additive Gaussian noise, relative to
        that of the clean targets; for classes, the fraction of labels that
        :func:`corrupt_labels` changes. The returned index is that of the clean function.
    random_state : int, RandomState instance or None, default=None
        Seed of the samples, the random parts of the function and the noise.

    Returns
    -------
    X : ndarray of shape (n_samples, n_relevant + n_irrelevant), float64
        Samples in the unit cube.
    y : ndarray of shape (n_samples,)
        Targets: float64 for regression, int64 for classes.
    alpha : float
        The true index of the clean function.

    See Also
    --------
    sksmooth.datasets.corrupt_labels : Replaces some labels by wrong ones.

    References
    ----------
    .. [1] R. DeVore, *Nonlinear approximation*, Acta Numerica 7 (1998); S. Dekel and
       D. Leviatan, *Adaptive multivariate approximation using binary space partitions
       and geometric wavelets*, SIAM J. Numer. Anal. 43 (2005).

    Examples
    --------
    >>> from sksmooth.datasets import make_known_smoothness
    >>> X, y, alpha = make_known_smoothness("jump", 500, n_relevant=3, random_state=0)
    >>> X.shape, sorted(set(y.tolist())), alpha
    ((500, 3), [0, 1], 0.25)
    """
    rng = check_random_state(random_state)
    function, true_index, is_classification = _KINDS[kind]
    if kind in _ONE_VARIABLE:
        if n_relevant not in (None, 1):
            raise ValueError(
                f"kind={kind!r} is a function of one variable, got "
                f"n_relevant={n_relevant}; add columns with n_irrelevant."
            )
        n_relevant = 1
    elif n_relevant is None:
        n_relevant = 2
    # Sums of NumPy's narrow integer types would overflow.
    n_samples, n_relevant, n_irrelevant = map(int, (n_samples, n_relevant, n_irrelevant))
    X = rng.uniform(size=(n_samples, n_relevant + n_irrelevant))
    y = np.asarray(function(X[:, :n_relevant], exponent, n_classes, rng))
    alpha = float(true_index(n_relevant, exponent))
    if is_classification:
        y = y.astype(np.int64)
        if noise > 1:
            raise ValueError(
                f"noise={noise} is the fraction of wrong labels for kind={kind!r}; it "
                "must be at most 1."
            )
        if noise > 0:
            y = cast(np.ndarray, corrupt_labels(y, noise, rng))
    elif noise > 0:
        y = y + noise * y.std() * rng.standard_normal(n_samples)
    return X, y, alpha


_OF_GENOTYPES: dict[str, Any] = {
    "n_samples": [Interval(Integral, 1, None, closed="left")],
    "n_sites": [Interval(Integral, 1, None, closed="left")],
    "n_letters": [Interval(Integral, 2, None, closed="left")],
    "encoding": [StrOptions({"one-hot", "letters"})],
    "random_state": ["random_state"],
}


@validate_params(
    {**_OF_GENOTYPES, "n_neighbors": [Interval(Integral, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def make_nk_landscape(
    n_samples: int = 2000,
    n_sites: int = 16,
    n_neighbors: int = 2,
    *,
    n_letters: int = 2,
    encoding: str = "one-hot",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sample an NK fitness landscape, which is the more rugged the larger K is.

    A genotype is a word of N letters. Its fitness is the mean of N contributions, one a
    site: independent uniform numbers in [0, 1], one for every combination of the letters at
    the site and at the K sites after it, in a circle [1]_. With K = 0 the sites add up;
    with K = N - 1 the fitness of any two words is independent.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of words, drawn uniformly and with replacement.
    n_sites : int, default=16
        Number N of letters of a word.
    n_neighbors : int, default=2
        Number K of other sites that the contribution of a site depends on, less than
        ``n_sites``.
    n_letters : int, default=2
        Size of the alphabet.
    encoding : {"one-hot", "letters"}, default="one-hot"
        How words are written as features:

        - ``"one-hot"``: one column of 0 and 1 for every site and letter; of two letters,
          one column per site;
        - ``"letters"``: one column per site, of integers from 0. More than two letters are
          categories, and are to be passed as such, with ``categorical_features``.
    random_state : int, RandomState instance or None, default=None
        Seed of the words and of the contributions.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns), float64 or int64
        The words: float64 if one-hot, else int64.
    y : ndarray of shape (n_samples,), float64
        Their fitness.
    correlation : float
        ``1 - (K + 1) / N``: the correlation, over all landscapes, of the fitness of two
        words that differ in one letter [2]_. Of words that differ in d letters it is the
        probability that a contribution does not depend on any of them.

    See Also
    --------
    make_mount_fuji : An additive landscape with a random one added.

    References
    ----------
    .. [1] S. A. Kauffman and E. D. Weinberger, *The NK model of rugged fitness landscapes
       and its application to maturation of the immune response*, J. Theor. Biol. 141
       (1989).
    .. [2] E. D. Weinberger, *Correlated and uncorrelated fitness landscapes and how to tell
       the difference*, Biol. Cybern. 63 (1990).

    Examples
    --------
    >>> from sksmooth.datasets import make_nk_landscape
    >>> X, y, correlation = make_nk_landscape(500, 10, 4, random_state=0)
    >>> X.shape, correlation
    ((500, 10), 0.5)
    """
    n_samples, n_sites, n_neighbors = map(int, (n_samples, n_sites, n_neighbors))
    if n_neighbors >= n_sites:
        raise ValueError(
            f"n_neighbors={n_neighbors} must be less than n_sites={n_sites}: a site has "
            f"{n_sites - 1} others."
        )
    rng = check_random_state(random_state)
    words = rng.randint(n_letters, size=(n_samples, n_sites))
    around = np.arange(n_neighbors + 1)
    contributions = [
        _random_field(words[:, (site + around) % n_sites], rng.uniform)
        for site in range(n_sites)
    ]
    correlation = 1 - (n_neighbors + 1) / n_sites
    return _encoded(words, n_letters, encoding), np.mean(contributions, axis=0), correlation


@validate_params(
    {**_OF_GENOTYPES, "ruggedness": [Interval(Real, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def make_mount_fuji(
    n_samples: int = 2000,
    n_sites: int = 16,
    ruggedness: float = 0.5,
    *,
    n_letters: int = 2,
    encoding: str = "one-hot",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sample a rough Mount Fuji: an additive landscape with a random one added.

    The fitness of a word falls with the number of letters in which it differs from a random
    word, the peak. To this slope, scaled to variance 1, ``ruggedness`` times a standard
    normal number is added, independent for every word [1]_.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of words, drawn uniformly and with replacement. The same word has the same
        fitness.
    n_sites : int, default=16
        Number of letters of a word.
    ruggedness : float, default=0.5
        Standard deviation of the random part, relative to that of the additive one.
    n_letters : int, default=2
        Size of the alphabet.
    encoding : {"one-hot", "letters"}, default="one-hot"
        How words are written as features, as in :func:`make_nk_landscape`.
    random_state : int, RandomState instance or None, default=None
        Seed of the words and of the landscape.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns), float64 or int64
        The words: float64 if one-hot, else int64.
    y : ndarray of shape (n_samples,), float64
        Their fitness.
    correlation : float
        ``(1 - A / (N (A - 1))) / (1 + ruggedness^2)`` for N sites and A letters: the
        correlation of the fitness of two words that differ in one letter.

    See Also
    --------
    make_nk_landscape : Sites that depend on one another.

    References
    ----------
    .. [1] T. Aita et al., *Analysis of a local fitness landscape with a model of the rough
       Mt. Fuji-type landscape: application to prolyl endopeptidase and thermolysin*,
       Biopolymers 54 (2000).

    Examples
    --------
    >>> from sksmooth.datasets import make_mount_fuji
    >>> X, y, correlation = make_mount_fuji(500, 10, 1.0, random_state=0)
    >>> X.shape, correlation
    ((500, 10), 0.4)
    """
    n_samples, n_sites, n_letters = map(int, (n_samples, n_sites, n_letters))
    rng = check_random_state(random_state)
    words = rng.randint(n_letters, size=(n_samples, n_sites))
    peak = rng.randint(n_letters, size=n_sites)
    of_one_site = np.sqrt(n_letters - 1) / n_letters  # standard deviation
    slope = -np.count_nonzero(words != peak, axis=1) / (of_one_site * np.sqrt(n_sites))
    y = slope + ruggedness * _random_field(words, rng.standard_normal)
    of_slope = 1 - n_letters / (n_sites * (n_letters - 1))
    return _encoded(words, n_letters, encoding), y, float(of_slope / (1 + ruggedness**2))


def _random_field(words: np.ndarray, draw: Callable) -> np.ndarray:
    """Draw a number for every distinct word."""
    distinct, place = np.unique(words, axis=0, return_inverse=True)
    return draw(size=len(distinct))[place.ravel()]


def _encoded(words: np.ndarray, n_letters: int, encoding: str) -> np.ndarray:
    if encoding == "letters":
        return words.astype(np.int64)
    if n_letters == 2:
        return words.astype(np.float64)
    return (words[..., None] == np.arange(n_letters)).reshape(len(words), -1).astype(float)


@validate_params(
    {
        "y": ["array-like"],
        "fraction": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
        "confusion": ["array-like", None],
        "return_mask": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def corrupt_labels(
    y: ArrayLike,
    fraction: float = 0.1,
    random_state: int | np.random.RandomState | None = None,
    *,
    confusion: ArrayLike | None = None,
    return_mask: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Replace a fraction of the labels by wrong ones.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels of any dtype, at least two classes.
    fraction : float, default=0.1
        Fraction in [0, 1] of the samples that get a wrong label;
        ``round(fraction * n_samples)`` labels are changed.
    random_state : int, RandomState instance or None, default=None
        Seed for the choice of samples and of their new labels.
    confusion : array-like of shape (n_classes, n_classes), default=None
        Row i holds the relative probabilities of the labels that replace class i, with
        the classes in sorted order; the diagonal is ignored. A class whose row is zero
        off the diagonal is never changed. None means symmetric noise: every other class
        is equally likely.
    return_mask : bool, default=False
        Whether to also return which samples were changed.

    Returns
    -------
    y_corrupted : ndarray of shape (n_samples,)
        A copy of ``y`` with wrong labels.
    mask : ndarray of shape (n_samples,), bool
        True where the label was changed. Only if ``return_mask`` is True.

    See Also
    --------
    sksmooth.sample_roughness : Finds wrong labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.datasets import corrupt_labels
    >>> y = np.repeat(["cat", "dog"], 10)
    >>> int((corrupt_labels(y, 0.3, random_state=0) != y).sum())
    6
    """
    y = column_or_1d(as_array(y))
    if pd.isna(y).any():
        raise ValueError("y holds missing labels; drop or fill those rows.")
    rng = check_random_state(random_state)
    classes, codes = numbered(y)
    n_classes = len(classes)
    if n_classes < 2:
        raise ValueError("y holds one class only, so there is no wrong label.")
    transition = _transition_matrix(confusion, n_classes)
    eligible = np.flatnonzero(transition.sum(axis=1)[codes] > 0)
    n_changed = round(fraction * len(y))
    if n_changed > len(eligible):
        raise ValueError(
            f"fraction={fraction} means {n_changed} wrong labels, but `confusion` lets "
            f"only {len(eligible)} samples change; lower `fraction`."
        )
    # `rng.choice` would draw the rows that an unstratified `train_test_split` with the same
    # seed uses for testing, so all training labels would remain correct.
    changed = eligible[np.argsort(rng.uniform(size=len(eligible)))[:n_changed]]
    thresholds = np.cumsum(transition, axis=1)
    draws = rng.uniform(size=n_changed) * thresholds[codes[changed], -1]
    new_codes = codes.copy()
    new_codes[changed] = (thresholds[codes[changed]] <= draws[:, None]).sum(axis=1)
    mask = np.zeros(len(y), dtype=bool)
    mask[changed] = True
    corrupted = classes[new_codes]
    return (corrupted, mask) if return_mask else corrupted


def _transition_matrix(confusion: ArrayLike | None, n_classes: int) -> np.ndarray:
    if confusion is None:
        return 1.0 - np.eye(n_classes)
    transition = check_array(confusion, dtype=np.float64, copy=True, input_name="confusion")
    if transition.shape != (n_classes, n_classes):
        raise ValueError(
            f"confusion has shape {transition.shape}, but y holds {n_classes} classes: "
            f"it must have shape ({n_classes}, {n_classes})."
        )
    if (transition < 0).any():
        raise ValueError("confusion must not hold negative probabilities.")
    np.fill_diagonal(transition, 0.0)
    # Scale by powers of two, which is exact, so that the sums of the rows stay finite.
    exponent = np.frexp(transition.max(axis=1, keepdims=True))[1]
    return np.ldexp(transition, -exponent)
