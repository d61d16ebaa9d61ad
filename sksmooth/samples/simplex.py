"""Class labels as vertices of a regular simplex.

L classes become the vertices of a regular simplex in R^(L-1) with edge sqrt(2). That
map is an isometry of the centred one-hot vectors, so distances between class means are
distances between class proportions, and the variance of the embedded labels is their
Gini impurity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import helmert
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from .._lib.state import Versioned, atomic_fit
from .checks import reading
from .labels import class_codes, distinct_labels, label_vector

__all__ = ["SimplexEncoder", "nearest_vertex", "simplex_vertices"]


def simplex_vertices(n_classes: int) -> np.ndarray:
    """Compute the vertices of the centred regular simplex with edge sqrt(2), one per class.

    The rows of the Helmert matrix are an orthonormal basis of the hyperplane that
    holds the centred one-hot vectors; its columns are their coordinates.
    """
    return np.ascontiguousarray(helmert(n_classes).T)


def nearest_vertex(points: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Find the nearest vertex of a simplex, the first of several."""
    # All vertices have one norm, so the nearest has the largest inner product.
    return np.argmax(points @ vertices.T, axis=1)


class SimplexEncoder(Versioned, TransformerMixin, BaseEstimator):
    """Map class labels to the vertices of a regular simplex, and back.

    The L classes of a label vector become L points of R^(L-1) at mutual distance
    sqrt(2), with their centroid at the origin: the centred one-hot vectors in an
    orthonormal basis of the hyperplane in which they lie. Averages of encoded labels
    are class proportions in the same coordinates, and their variance is the Gini
    impurity [1]_.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The sorted class labels; objects without an order are sorted by type and text.
    vertices_ : ndarray of shape (n_classes, n_classes - 1), float64
        Row i is the vertex of ``classes_[i]``.

    See Also
    --------
    BesovSmoothnessEstimator : Encodes its class labels in this way.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests*, JMLR 17
       (2016), section 3.

    Examples
    --------
    >>> from sksmooth import SimplexEncoder
    >>> encoder = SimplexEncoder().fit(["ant", "bee", "cat"])
    >>> encoder.transform(["ant", "cat"]).round(3)
    array([[ 0.707,  0.408],
           [ 0.   , -0.816]])
    >>> encoder.inverse_transform([[0.5, 0.5]])
    array(['ant'], dtype='<U3')
    """

    @atomic_fit
    def fit(self, y: ArrayLike) -> SimplexEncoder:
        """Learn the classes.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels of any dtype, or objects that can be hashed; at least two classes.

        Returns
        -------
        self : SimplexEncoder
            The fitted encoder.
        """
        classes = distinct_labels(label_vector(y))
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only ({str(classes[0])!r}); a simplex needs at least "
                "two."
            )
        self.classes_ = classes
        self.vertices_ = simplex_vertices(len(classes))
        return self

    def fit_transform(self, y: ArrayLike) -> np.ndarray:
        """Learn the classes and encode the labels.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        points : ndarray of shape (n_samples, n_classes - 1), float64
            The vertex of each label.
        """
        return self.fit(y).transform(y)

    def transform(self, y: ArrayLike) -> np.ndarray:
        """Encode labels as simplex vertices.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels, all of them seen in ``fit``.

        Returns
        -------
        points : ndarray of shape (n_samples, n_classes - 1), float64
            The vertex of each label.

        Raises
        ------
        ValueError
            If a label was not seen in ``fit``.
        """
        check_is_fitted(self)
        y = label_vector(y)
        codes, known = class_codes(y, self.classes_)
        if not known.all():
            unknown = distinct_labels(y[~known])[:5].tolist()
            raise ValueError(f"y holds labels that fit has not seen: {unknown}.")
        return self.vertices_[codes]

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Label points by their nearest vertex.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_classes - 1)
            Points of the embedding space, such as averages of encoded labels.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The class of the nearest vertex; the first one of several at equal distance.
        """
        check_is_fitted(self)
        with reading(X, "X"):
            X = check_array(X, dtype=np.float64)
        if X.shape[1] != self.vertices_.shape[1]:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the simplex of {len(self.classes_)} "
                f"classes lies in {self.vertices_.shape[1]} dimensions."
            )
        return self.classes_[nearest_vertex(X, self.vertices_)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.one_d_labels = True
        tags.target_tags.required = True
        tags.requires_fit = True
        return tags
