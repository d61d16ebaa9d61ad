"""Compare the layers of a network by how smooth targets are on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._lib.docstrings import documented
from .._lib.messages import naming
from .._lib.progress import progress_bar
from .._lib.scikit_learn import validate_params
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.comparison import integer_seed, ready_estimator
from ..estimators.probes import PROBES, TargetKind, chosen_probes
from ..index import Level
from .changes import layer_changes
from .columns import (
    COLUMNS,
    PROJECTION_ERROR,
    REFERENCE,
    ChangeColumn,
    change_values,
    columns_of,
)
from .extraction import LayerFeatures, extract, read_arguments
from .measurement import LayersInTurn
from .options import ReaderOptions
from .rows import TokenRows, labellings_of
from .table import LayerComparison, joined_tables

__all__ = ["compare_layers"]

_ONE = ""  # name of the labelling if there is only one


def _probes_for(*targets: TargetKind) -> dict[str, str]:
    """Describe the probes that take exactly these kinds of targets."""
    return {
        name: probe.description
        for name, probe in PROBES.items()
        if set(probe.targets) == set(targets)
    }


@validate_params(
    {
        "module": "no_validation",
        "X": "no_validation",
        "y": "no_validation",
        "layers": ["array-like", str, Integral, None],
        "estimator": [BesovSmoothnessEstimator, None],
        "probes": [list, tuple, set, str],
        "X_test": "no_validation",
        "y_test": "no_validation",
        "sample_weight": ["array-like", None],
        "groups": ["array-like", None],
        "tokens": ["boolean"],
        "reference": "no_validation",
        "n_jobs": [Integral, None],
        **ReaderOptions.constraints,
    },
    prefer_skip_nested_validation=True,
)
@documented(
    columns={
        column.name: column.help for column in (*COLUMNS, PROJECTION_ERROR, *REFERENCE)
    },
    probes_for_both=_probes_for(*TargetKind),
    probes_for_classes=_probes_for(TargetKind.CLASSES),
    probes_for_numbers=_probes_for(TargetKind.NUMBERS),
)
def compare_layers(
    module: Any,
    X: Any,
    y: ArrayLike | None = None,
    layers: ArrayLike | str | int | None = None,
    estimator: BesovSmoothnessEstimator | None = None,
    probes: str | Iterable[str] = (),
    *,
    X_test: Any = None,
    y_test: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    tokens: bool = False,
    batch_size: int = 256,
    device: Any = None,
    input_shape: Sequence[int] | None = None,
    output: int | str | Callable | None = None,
    pooling: str = "flatten",
    n_components: int | None = None,
    memmap: bool | str = "auto",
    reference: Any = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> LayerComparison:
    """Measure how smooth the labels are on the layers of a network.

    The features of all layers come from one forward pass over ``X``. Every layer is then
    measured once, on the same subsamples with the same seeds, so that the change from one
    layer to the next is a paired difference of held-out levels, as in
    :func:`smoothness_difference`. A good layer makes the labels smoother; a layer that
    loses smoothness harms the network. A broken block with a skip connection loses nothing,
    but it gains nothing either, and it is worse than the same block of an intact network:
    see ``gains_nothing`` and ``reference``.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network. It is only read.
    X : array-like, tensor, dict of arrays, Dataset or DataLoader
        Samples, as :class:`LayerFeatureTransformer` takes them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or dict, default=None
        Class labels, or regression targets in a floating-point dtype. None where ``X`` is
        a Dataset or DataLoader that yields them. Several labellings of the samples, such
        as fine and coarse classes, are a dict of arrays, or several columns of classes:
        all are measured in the same pass, and the table has a column ``labels``.
    layers : array-like of str or int, default=None
        The layers, as :func:`list_layers` names them, in the order of comparison. None
        takes the input and every layer with weights, including the normalisation,
        activation and pooling after it; layers that ``pooling`` cannot pool are left out
        with a :class:`~sksmooth.exceptions.LayersLeftOutWarning`.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned for every layer. None means one with default
        parameters.
    probes : iterable of str or "all", default=()
        What to measure beside the index, one column each; ``"all"`` means all that fit the
        targets. For class labels and regression:

        {probes_for_both}

        For class labels:

        {probes_for_classes}

        For regression:

        {probes_for_numbers}

        R² of several outputs is their mean. Models, the evidence and the H-score use at
        most 4000 samples, and probes that compare each sample with all others use at most
        2000, the same in every layer. No probe uses ``sample_weight``. The extra
        ``sksmooth[probes]`` installs what some of them need.
    X_test, y_test : as ``X`` and ``y``, default=None
        Test samples, for the held-out score and for probes. They take another forward pass.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    groups : array-like of shape (n_samples,), default=None
        Groups of samples that are not independent, such as patients: a tree sees all of a
        group or none of it, and the variance is that over groups.
    tokens : bool, default=False
        Whether each token is a row with a label of its own: ``y`` then has the shape
        (n_samples, n_tokens), with -100 at tokens without a label. Tokens of one sample
        form a group, unless ``groups`` is given. Tokens that ``attention_mask`` in ``X``
        masks do not count, nor those that ``decoder_attention_mask`` masks if the labels
        are those of a decoder's tokens. Layers without features for each token are left out
        if ``layers`` is None.
    batch_size, device, input_shape, output, pooling, n_components, memmap : optional
        As in :class:`LayerFeatureTransformer`. Layers that do not fit into memory are
        kept in temporary files.
    reference : torch.nn.Module, fitted skorch net or LayerComparison, default=None
        What to compare with, layer by layer: a network with layers of the same names, such
        as an intact copy or an earlier state in training; or its table, made on the same
        samples with the same estimator and ``random_state``. A network takes another
        forward pass over ``X``, and only the held-out levels of its layers are measured.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's if it is given. Layers are
        measured one after the other, with all workers on the trees of the same layer, so
        that only one layer is in memory and a wide layer does not leave workers idle.
        Results do not depend on it. Probes use one thread.
    random_state : int, RandomState instance or None, default=None
        Seed of the estimator if it has none, of probes and of projections.
    verbose : int, default=0
        1 shows progress on standard error.

    Returns
    -------
    table : LayerComparison
        A table with one row per layer, which notebooks show with bars for the intervals and
        marks at layers that lose smoothness; ``table.frame`` is a DataFrame. It has a
        column for each probe, ``projection_error`` if ``n_components`` is given, the
        columns of the reference if there is one, and always the other columns of this list:

        {columns}

    Raises
    ------
    ValueError
        If a layer is unknown or never reached, features are not finite, lengths differ, a
        probe is unknown or does not take such targets, or a reference table was made on
        other samples or with another estimator or seed; or for the reasons for which
        :meth:`BesovSmoothnessEstimator.fit` raises one, with the name of the layer.
    ImportError
        If torch is not installed, or scikit-dimension if a probe needs it.

    See Also
    --------
    sksmooth.plotting.LayerSmoothnessDisplay : Draws the table.
    SmoothnessMonitor : The same during training.
    LayerFeatureTransformer : Features of a layer, for a Pipeline.

    Notes
    -----
    Subsamples are drawn by the *input* of the network, so that the index of a layer does
    not depend on which other layers are compared. The input of a Dataset or DataLoader is
    known only if it is among the layers; otherwise the first layer takes its place.

    Samples with the same input are drawn together. Samples that only a layer maps to the
    same point (dead units, saturated outputs) are not, since they are independent draws.
    An estimator fitted directly to the features of such a layer cannot know this, and draws
    equal rows with equal labels together; for all other layers it gives the same index, up
    to the noise of other subsamples.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import compare_layers
    >>> X, y = load_digits(return_X_y=True)
    >>> _ = torch.manual_seed(0)
    >>> module = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    ... )
    >>> table = compare_layers(module, X, y, random_state=0)
    >>> table[["layer", "type", "n_features", "loses_smoothness"]]
       layer           type  n_features  loses_smoothness
    0  input          input          64             False
    1      1  Linear + ReLU          32              True
    2      2         Linear          10              True

    Layers with random weights lose information about the labels; those of a trained
    network make the labels smoother.
    """
    chosen_probes(probes)  # reject unknown names before the forward pass
    if X_test is None and y_test is not None:
        raise ValueError("y_test is given without X_test.")
    seed = integer_seed(random_state)
    template = ready_estimator(estimator, seed, n_jobs)
    options = ReaderOptions(
        batch_size=batch_size,
        device=device,
        input_shape=input_shape,
        output=output,
        pooling=pooling,
        n_components=n_components,
        memmap=memmap,
        random_state=seed,
        verbose=verbose,
    )
    X, y = read_arguments(module, X, y)
    if X_test is not None:
        X_test, y_test = read_arguments(module, X_test, y_test)
    labellings = y_tests = None
    if tokens:
        _check_tokens(y, options)
    else:
        labellings, y_tests = (labellings_of(_in_memory(each)) for each in (y, y_test))
        _check_labellings(labellings, y_tests, has_test=X_test is not None)
    y, y_test = (
        _in_memory(one) if several is None else next(iter(several.values()))
        for one, several in ((y, labellings), (y_test, y_tests))
    )
    reads_again = reference is not None and not isinstance(reference, LayerComparison)
    # Weights and groups follow the order of the rows.
    is_in_order = reads_again or sample_weight is not None or groups is not None
    read = partial(_features_and_y, module, options=options, keep_masks=tokens)
    features = read(X, layers, y=y, keep_order=is_in_order)
    test = None
    if X_test is not None:
        test = read(X_test, features.names, y=y_test, earlier=features, ending="_test")
    source = _rows_of_input(X, features)
    as_rows: Callable[[LayerFeatures], LayerFeatures] = _as_they_are
    if tokens:
        rows = TokenRows(features.y, features)
        source, groups = rows.drawn_by(source, groups)
        sample_weight = rows.weights(sample_weight)
        as_rows = partial(rows.of, drop=layers is None)
        if test is not None:
            of_test = TokenRows(test.y, test, rows.streams)
            test = of_test.of(test, drop=layers is None)
    features = as_rows(features)
    targets = {_ONE: features.y} if labellings is None else labellings
    test_targets = y_tests or dict.fromkeys(targets, None if test is None else test.y)
    in_turns = {
        name: LayersInTurn(
            template,
            source,
            target,
            sample_weight,
            groups=groups,
            y_test=test_targets[name],
            probes=probes,
            seed=seed,
        )
        for name, target in targets.items()
    }
    known = _levels_in_tables(reference, features.names, in_turns)
    measured = _measured(in_turns, features, test, verbose)
    if reads_again:
        known = _levels_in_network(reference, X, in_turns, features, options, as_rows)
    is_projected = n_components is not None
    tables = {
        name: _table(in_turn, measured[name], known.get(name), is_projected)
        for name, in_turn in in_turns.items()
    }
    return tables[_ONE] if labellings is None else joined_tables(tables)


def _features_and_y(
    module: Any, X: Any, layers: Any, ending: str = "", **of_pass: Any
) -> LayerFeatures:
    """Read layers, and refuse samples without targets."""
    features = extract(module, X, layers, **of_pass)
    if features.y is None:
        raise ValueError(
            f"y{ending} is required unless X{ending} is a Dataset or DataLoader with "
            "targets."
        )
    return features


def _check_labellings(
    labellings: Mapping[str, Any] | None,
    y_tests: Mapping[str, Any] | None,
    *,
    has_test: bool,
) -> None:
    if has_test and (labellings or {}).keys() != (y_tests or {}).keys():
        raise ValueError(
            f"y has the labellings {list(labellings or [])}, but y_test has "
            f"{list(y_tests or [])}."
        )


def _check_tokens(y: Any, options: ReaderOptions) -> None:
    if isinstance(y, Mapping):
        raise ValueError("tokens=True takes only one labelling; compare one at a time.")
    if options.pooling != "flatten" or options.n_components is not None:
        raise ValueError("tokens=True cannot be combined with pooling or n_components.")


def _as_they_are(features: LayerFeatures) -> LayerFeatures:
    return features


def _table(
    in_turn: LayersInTurn,
    measured: list[dict[str, Any]],
    references: Sequence[Level] | None,
    is_projected: bool,
) -> LayerComparison:
    """Make the table of one labelling of the samples."""
    columns = columns_of(
        in_turn.probes, is_projected=is_projected, has_reference=references is not None
    )
    level = in_turn.confidence_level
    changes = layer_changes(in_turn.levels, level, references or ())
    frame = pd.DataFrame(measured).assign(**change_values(columns, changes))
    return LayerComparison(
        frame[[column.name for column in columns]],
        tuple(in_turn.levels),
        in_turn.measured_on,
    )


def _rows_of_input(X: Any, features: LayerFeatures) -> np.ndarray:
    """Return the rows that identify the samples to be drawn: the network's input.

    For a data set, which has been read already, the input is only known if it is among the
    layers; otherwise the first layer takes its place.
    """
    if isinstance(X, Mapping):
        from .arguments import parts_of

        parts = parts_of(tuple(X.values()))
        return np.hstack([_plain_rows(part) for part in parts if part is not None])
    if hasattr(X, "shape") or isinstance(X, list | tuple):
        return _plain_rows(X)
    names = features.names
    return features.arrays[names.index("input") if "input" in names else 0]


def _plain_rows(data: Any) -> np.ndarray:
    rows = np.asarray(_in_memory(data))
    return rows.reshape(len(rows), -1)


def _in_memory(data: Any) -> Any:
    """Convert a tensor on any device to an array; return anything else unchanged."""
    if not hasattr(data, "detach"):
        return data
    data = data.detach().cpu()
    is_rare = data.is_floating_point() and data.element_size() < 4  # such as bfloat16
    return (data.float() if is_rare else data).numpy()


def _measured(
    in_turns: Mapping[str, LayersInTurn],
    features: LayerFeatures,
    test: LayerFeatures | None,
    verbose: int,
) -> dict[str, list[dict[str, Any]]]:
    """Measure layer by layer and make a table row of each, for all labellings.

    Arrays are released as soon as they are measured, and temporary files with them.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in in_turns}
    layers = zip(features.names, features.types, features.projection_errors, strict=True)
    if verbose:
        layers = progress_bar(layers, len(features.names), "index")
    for layer, kind, error in layers:
        X = features.arrays.pop(0)
        X_test = None if test is None else test.arrays.pop(0)
        for name, in_turn in in_turns.items():
            with naming(f"Layer {layer!r}"):
                rows[name].append(_row(in_turn, X, X_test, layer, kind, error))
    return rows


def _row(
    in_turn: LayersInTurn,
    X: np.ndarray,
    X_test: np.ndarray | None,
    layer: str,
    kind: str,
    error: float | None,
) -> dict[str, Any]:
    # A separate function, so that the layer's forest is freed when it returns.
    measured = in_turn.measure(X, X_test, name=layer, type=kind, projection_error=error)
    return {
        column.name: column.get(measured)
        for column in columns_of(in_turn.probes, is_projected=True)
        if not isinstance(column, ChangeColumn)
    }


def _levels_in_tables(
    table: Any, names: Sequence[str], in_turns: Mapping[str, LayersInTurn]
) -> dict[str, list[Level]]:
    """Look up the levels for every labelling if the reference is a table."""
    if not isinstance(table, LayerComparison):
        return {}
    return {
        name: _levels_in_table(
            table if name == _ONE else table.of(name), names, in_turn.measured_on
        )
        for name, in_turn in in_turns.items()
    }


def _levels_in_table(
    table: LayerComparison, names: Sequence[str], measured_on: str
) -> list[Level]:
    """Look up the levels of layers in a table that was made on the same samples."""
    if not table.levels_:
        raise ValueError(
            "The reference is a table without levels; pass a table from compare_layers."
        )
    if table.measured_on_ != measured_on:
        raise ValueError(
            "The reference was measured on other samples, or with another estimator or "
            "random_state. Measure both networks in the same way, or pass the network "
            "itself as the reference."
        )
    levels = dict(zip(table.frame["layer"], table.levels_, strict=True))
    missing = [name for name in names if name not in levels]
    if missing:
        raise ValueError(f"The reference has no layers {missing}.")
    return [levels[name] for name in names]


def _levels_in_network(
    network: Any,
    X: Any,
    in_turns: Mapping[str, LayersInTurn],
    features: LayerFeatures,
    options: ReaderOptions,
    as_rows: Callable[[LayerFeatures], LayerFeatures],
) -> dict[str, list[Level]]:
    """Measure the levels of the layers of another network, in a pass of its own."""
    with naming("The reference"):
        others = extract(
            network,
            X,
            features.names,
            options,
            earlier=None if options.n_components is None else features,
        )
        others = as_rows(others)
    levels: dict[str, list[Level]] = {name: [] for name in in_turns}
    for layer in others.names:
        array = others.arrays.pop(0)
        for name, in_turn in in_turns.items():
            with naming(f"Layer {layer!r}"):
                levels[name].append(in_turn.level_alone(array))
    return levels
