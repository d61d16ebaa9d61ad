"""A scikit-learn transformer that reads layers of a network."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._lib.scikit_learn import check_feature_names_in, fit_context
from .._lib.state import Versioned, atomic_fit
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.comparison import ready_estimator
from ..estimators.folds import STRATIFIED
from ..samples import reading
from .extraction import LayerFeatures, extract
from .options import ReaderOptions, require_torch

__all__ = ["LayerFeatureTransformer"]


class LayerFeatureTransformer(Versioned, TransformerMixin, BaseEstimator):
    """Values of a layer of a PyTorch network as features.

    The network is only read, in evaluation mode and without gradients, and is left
    unchanged whatever happens. Buffers and attributes that it writes in a pass are
    restored; only entries that it adds to its own lists and dicts remain. The forward pass
    ends after the requested layer.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network, such as a LightningModule or a model of Transformers or timm. Clones of
        the transformer share it rather than copy it.
    layer : str, int or list of these, default="output"
        Dotted name of a submodule, as in ``module.named_modules()``; ``"input"``, the input
        of the network; ``"output"``, the output of the whole network, unless a submodule
        has that name; or the number of a leaf module, negative from the end.
        :func:`list_layers` shows the names. If a module is called several times in a
        forward pass, ``"name:k"`` is its call k, from 0 on. The features of a list of
        layers are concatenated.
    batch_size : int, default=256
        Samples per forward pass. A DataLoader has its own.
    device : str or torch.device, default=None
        Where to run the network, which is moved back afterwards. None leaves it where it
        is.
    input_shape : tuple of int, default=None
        Shape of a sample as the network takes it, such as ``(1, 8, 8)``, for X with flat
        samples. Samples of another shape are rejected, such as images with the channels
        last, which ``np.moveaxis(X, -1, 1)`` puts first.
    output : int, str or callable, default=None
        What to take of a layer that returns several tensors: an index, a key, or a function
        of the whole output that returns one tensor, with the samples first. None takes the
        first tensor of a tuple, and of a dict ``last_hidden_state``, ``logits`` or the only
        tensor. An index or a key has no effect on a layer that returns one tensor.
    pooling : {"flatten", "mean", "max", "cls", "last"}, default="flatten"
        How a map or a sequence becomes one row of features: all its values; their mean or
        maximum over the places or tokens; or the first or last token. Except for "flatten",
        tokens masked by the entry ``attention_mask`` of X are left out; in layers of a
        decoder, those masked by ``decoder_attention_mask``, or padding at the end.
    n_components : int, default=None
        Layers with more features are projected to this number by a
        :class:`~sklearn.random_projection.SparseRandomProjection`. None projects none.
    dtype : {"float32", "float64"}, default="float32"
        Type of the features.
    memmap : bool, "auto" or path of a folder, default="auto"
        Whether the features go to a temporary file, or in which folder; the file is removed
        when no array uses it any more. "auto" uses a file beyond 1 GiB in all, or if the
        number of samples is not known. Temporary files are where :mod:`tempfile` puts them,
        which on some machines is in memory.
    estimator : BesovSmoothnessEstimator, default=None
        What :meth:`score` clones and fits. None means one with default parameters.
    random_state : int, RandomState instance or None, default=None
        Seed of the projection, and of the estimator if it has none.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's if it is given. The forward
        pass uses torch's threads.
    verbose : int, default=0
        1 shows a progress bar of the forward pass on standard error.

    Attributes
    ----------
    layer_names_, layer_types_ : list of str
        The layers, and the classes of their modules.
    layer_shapes_ : list of tuple of int
        Shape of one sample of each layer, before it is pooled.
    n_features_out_ : int
        Number of features.
    projection_error_ : float or None
        Mean relative error of the squared distances between samples of the first batch due
        to the projection, for the layer with the largest error; None if none was projected.
    n_features_in_ : int
        Number of features seen in ``fit``. Only if X has two dimensions.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names. Only if X has string column names.

    See Also
    --------
    list_layers : Names of the layers.

    Notes
    -----
    X is an array, a data frame or a torch tensor with the samples along the first axis; a
    dict of these, the keyword arguments of ``forward``, or a tuple or list of several, its
    positional ones (one tuple, if it takes one); a list of samples, or of such dicts with
    one sample each; or a torch ``Dataset`` or ``DataLoader`` that yields such samples or
    pairs of samples and targets. Entries ``labels``, ``label`` and ``label_ids`` are
    targets, which the network does not receive unless its forward requires them or derives
    the tokens of a decoder from them. Numbers are cast to the dtype of the network's
    weights, except that integers of 32 and 64 bits are passed on as tokens.

    scikit-learn's searches and cross-validation cannot split a dict into folds: pass a
    ``skorch.helper.SliceDict(**X)``, or a list of dicts with one sample each.

    Only one pass runs at a time in a process, since others would trigger its hooks.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import LayerFeatureTransformer
    >>> X, y = load_digits(return_X_y=True)
    >>> _ = torch.manual_seed(0)
    >>> network = torch.nn.Sequential(
    ...     torch.nn.Conv2d(1, 4, 3),
    ...     torch.nn.ReLU(),
    ...     torch.nn.Flatten(),
    ...     torch.nn.Linear(144, 10),
    ... )
    >>> layer = LayerFeatureTransformer(network, "1", input_shape=(1, 8, 8), random_state=0)
    >>> layer.fit_transform(X).shape
    (1797, 144)
    >>> layer.layer_types_, layer.layer_shapes_
    (['ReLU'], [(4, 6, 6)])
    >>> bool(layer.score(X, y) > 0.05)
    True
    """

    _parameter_constraints: dict[str, Any] = {
        "module": "no_validation",
        "layer": [str, Integral, "array-like"],
        **ReaderOptions.constraints,
        "estimator": [BesovSmoothnessEstimator, None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        module: Any,
        layer: str | int | list[str | int] = "output",
        *,
        batch_size: int = 256,
        device: Any = None,
        input_shape: tuple[int, ...] | None = None,
        output: Any = None,
        pooling: str = "flatten",
        n_components: int | None = None,
        dtype: str = "float32",
        memmap: bool | str | PathLike = "auto",
        estimator: BesovSmoothnessEstimator | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.module = module
        self.layer = layer
        self.batch_size = batch_size
        self.device = device
        self.input_shape = input_shape
        self.output = output
        self.pooling = pooling
        self.n_components = n_components
        self.dtype = dtype
        self.memmap = memmap
        self.estimator = estimator
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    @atomic_fit
    def fit(self, X: Any, y: ArrayLike | None = None) -> LayerFeatureTransformer:
        """Run one batch through the network to record names and shapes of the layers.

        Parameters
        ----------
        X : array-like, tensor, dict of these, Dataset or DataLoader
            Samples, of which the first batch is read.
        y : array-like of shape (n_samples, ...), default=None
            Not used, but its length is checked.

        Returns
        -------
        self : LayerFeatureTransformer
            The fitted transformer.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        TypeError
            If ``module`` is not a module, or a layer returns no tensor.
        ValueError
            If a layer is unknown, not reached, or does not return a row of finite numbers
            for each sample; if the network or the device cannot be used; or if X is empty.
        NotFittedError
            If ``module`` is a skorch net that is not initialised.
        """
        X = self._checked(X, reset=True)
        self._record(self._read(X, y=y, first_batch_only=True))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    @atomic_fit
    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> np.ndarray:
        """Fit and transform in one forward pass.

        Parameters
        ----------
        X : array-like, tensor, dict of these, Dataset or DataLoader
            Samples.
        y : array-like of shape (n_samples, ...), default=None
            Not used, but its length is checked.

        Returns
        -------
        features : ndarray of shape (n_samples, `n_features_out_`)
            Values of the layers.
        """
        X = self._checked(X, reset=True)
        return self._record(self._read(X, y=y, keep_order=True)).arrays[0]

    def transform(self, X: Any) -> np.ndarray:
        """Read the values of the layers.

        Parameters
        ----------
        X : array-like, tensor, dict of these, Dataset or DataLoader
            Samples. A DataLoader must keep their order.

        Returns
        -------
        features : ndarray of shape (n_samples, `n_features_out_`)
            One row per sample; a memory map if they are large, see ``memmap``.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return self._read(X, earlier=self._fitted, keep_order=True).arrays[0]

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """Measure how smooth targets are on the features, out of bag.

        A forest is grown on the features of the samples given, and each sample is
        approximated by the trees that have not seen it. The score is the rate of the whole
        way: zero for noise, finite if no error is left, and the larger, the more is
        explained. So searches can rank layers by it.

        Parameters
        ----------
        X : array-like, tensor, dict of these, Dataset or DataLoader
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels, or regression targets in a floating-point dtype. None takes those
            that a Dataset or DataLoader yields.

        Returns
        -------
        score : float
            ``oob_score_`` of a clone of ``estimator`` that is fitted to them.

        Raises
        ------
        ValueError
            If the trees of ``estimator`` leave no rows out, so that there is no out-of-bag
            score; or for the reasons for which :meth:`BesovSmoothnessEstimator.fit` raises
            one.
        """
        check_is_fitted(self)
        features = self._read(self._checked(X, reset=False), y=y, earlier=self._fitted)
        if features.y is None:
            raise ValueError("score needs y; pass it, or a data set that yields (x, y).")
        estimator = ready_estimator(self.estimator, self.random_state, self.n_jobs)
        try:
            score = float(estimator.fit(features.arrays[0], features.y).oob_score_)
        except ValueError as error:
            if len(set(np.ravel(features.y).tolist())) == 1:
                error.add_note(
                    "In a search or cross-validation each fold needs all classes: pass "
                    f"{STRATIFIED}."
                )
            raise
        if np.isnan(score):
            raise ValueError(
                "No row is left out of the trees, so there is no out-of-bag score; use an "
                "estimator with max_samples below 1, or a forest that draws subsamples "
                "(bootstrap=True)."
            )
        return score

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used but checked against ``feature_names_in_``.

        Returns
        -------
        names : ndarray of str objects
            Such as ``"conv1_17"``: the layer and the number of the feature in it.
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        return np.array(
            [
                f"{name}_{i}"
                for name, width in zip(self.layer_names_, self._widths_out, strict=True)
                for i in range(width)
            ],
            dtype=object,
        )

    def __sklearn_clone__(self) -> LayerFeatureTransformer:
        # clone() would copy the network and its memory, and drop the fitted state of a
        # skorch net.
        hollow = copy(self)
        hollow.module = None
        cloned = super(LayerFeatureTransformer, hollow).__sklearn_clone__()
        return cloned.set_params(module=self.module)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Validate X of two dimensions, and record or compare its columns."""
        require_torch()
        from .arguments import as_arguments
        from .inputs import is_matrix
        from .modules import read_module

        X = as_arguments(X, read_module(self.module).forward)
        if is_matrix(X):
            with reading(X, "X"):
                return validate_data(self, X, reset=reset)
        if reset:  # an earlier fit may have recorded columns
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(self, name):
                    delattr(self, name)
        return X

    def _read(self, X: Any, **of_pass: Any) -> LayerFeatures:
        options = ReaderOptions.among(vars(self))
        return extract(self.module, X, self.layer, options, side_by_side=True, **of_pass)

    def _record(self, features: LayerFeatures) -> LayerFeatures:
        self.layer_names_ = features.names
        self.layer_types_ = features.types
        self.layer_shapes_ = features.shapes
        self.n_features_out_ = features.arrays[0].shape[1]
        errors = [error for error in features.projection_errors if error is not None]
        self.projection_error_ = max(errors, default=None)
        self._fitted = replace(features, arrays=[], y=None)
        return features

    @property
    def _widths_out(self) -> list[int]:
        return [
            width if projection is None else projection.n_components_
            for width, projection in zip(
                self._fitted.widths, self._fitted.projections, strict=True
            )
        ]
