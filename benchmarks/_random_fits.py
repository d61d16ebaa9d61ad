"""Random fits of everything that measures smoothness, and digests of what they give.

A fit is drawn by its number alone, so that two versions of the package can be compared fit
by fit. Only public names are used. ``errors_``, ``n_terms_`` and ``fit_range_`` are
recorded for ``index="mterm"`` only, since older versions give other curves for other
indices. The curve that an index is read from is that of ``decay_``, which is recorded for
every index. Times, messages and ``LayerFeatureTransformer.score`` are not recorded.
"""

import hashlib
import warnings

import numpy as np
import sklearn.ensemble
import sklearn.tree
from scipy import sparse

import sksmooth

# Each fit takes the next of these.
KINDS = [
    *["index"] * 9,
    *["foreign forest"] * 3,
    *["wavelet forest"] * 3,
    *["difference", "classes", "samples", "layers", "other"],
]
# Some numbers of the kind "index" are large: rows, columns and parameters. Nodes are split
# by histogram if they have more than about 2 ** 19 / columns samples, or 2 ** 21 / columns
# if few of the features are tried.
LARGE = {
    20: (22_000, 128, {"max_features": None}),
    40: (21_000, 96, {"max_features": 0.5}),
    60: (20_500, 300, {"max_features": "sqrt"}),
    80: (20_500, 250, {"max_features": "sqrt"}),
    100: (24_000, 64, {"max_bins": 64, "max_features": None}),
}
OF_INDICES = [
    *["alpha_", "alpha_interval_", "oob_score_", "r_squared_", "feature_importances_"],
    *["decay_.n_terms", "decay_.errors", "decay_.fit_range", "n_outputs_"],
]
OF_WAVELETS = [
    *["tree", "parent", "depth", "feature", "count", "mean", "psi", "log_norm", "order"],
    *["offsets", "p", "measure"],
]
OF_LAYERS = [
    *["layer", "type", "n_features", "alpha", "alpha_low", "alpha_high", "r_squared"],
    *["held_out", "difference", "difference_low", "difference_high", "p_value"],
    *["loses_smoothness", "cautions", "nc1"],
]


def record_fit(number):
    """Options of a fit, and digests of its results."""
    options, results = draw_options(number), {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for name, value in results_of(number, options):
                results[name] = digest(value)
        except (ImportError, SyntaxError):  # of a package that does not work at all
            raise
        except Exception as error:  # a refusal is a result, too
            results["error"] = type(error).__name__
            print(f"fit {number}: {type(error).__name__}: {error}", flush=True)
    categories = [each.category for each in caught]
    names = sorted(c.__name__ for c in categories if "numba" not in c.__module__)
    return {"options": options, "results": results | {"warnings": ", ".join(names)}}


def digest(value):
    """Type, shape and hash of the bytes of a value, and its first entries."""
    parts = (
        (value.data, value.indices, value.indptr) if sparse.issparse(value) else (value,)
    )
    arrays = [np.asarray(part) for part in parts]
    hashed = hashlib.sha256()
    for array in arrays:
        is_number = array.dtype.kind in "biuf"
        hashed.update(array.tobytes() if is_number else repr(array.tolist()).encode())
    shape = "x".join(map(str, np.shape(value)))
    first = arrays[0].ravel()[:6].tolist()
    return f"{arrays[0].dtype.name} {shape} {hashed.hexdigest()[:16]} {first}"


# The options


def pick(rng, *choices):
    return choices[rng.integers(len(choices))]


def draw_options(number):
    """Options of a fit, of plain types."""
    rng = np.random.default_rng([16, number])
    kind = KINDS[number % len(KINDS)]
    rows, columns = int(20 * 150 ** rng.random()), int(rng.integers(1, 25))
    target = pick(rng, "classes", "classes", "labels", "regression", "outputs")
    options = {
        "kind": kind,
        "rows": rows,
        "columns": columns,
        "target": "classes" if kind in ("classes", "layers") else target,
        "weights": pick(rng, "none", "none", "whole", "uneven", "zeros"),
        "features": pick(rng, "dense", "dense", "sparse", "nan"),
        "dtype": pick(rng, "float64", "float32"),
        "forest": None,
    }
    options["parameters"] = parameters = draw_parameters(rng, kind, rows)
    if kind == "foreign forest" or (kind == "wavelet forest" and rng.random() < 0.4):
        options["forest"] = name, _ = draw_forest(rng, options)
        if kind == "wavelet forest" and not name.startswith(("Random", "Bagging")):
            parameters["n_terms"] = pick(
                rng, "cv", None, 10
            )  # none of its rows are left out
    if number in LARGE:
        options["rows"], options["columns"], given = LARGE[number]
        parameters |= {"n_estimators": 2, "max_depth": None, "max_samples": 0.8} | given
    elif kind == "index" and rng.random() < 0.2:  # wide, so that histograms are used
        options["rows"], options["columns"] = map(
            int, rng.integers([1500, 400], [3000, 800])
        )
        parameters |= {"max_features": pick(rng, None, 0.5), "max_samples": 0.8}
    return options


def draw_parameters(rng, kind, rows):
    drawn = {
        "n_estimators": pick(rng, 1, 2, 3, 5),
        "max_depth": pick(rng, None, None, 3, 9),
        "max_features": pick(rng, None, None, "sqrt", "log2", 2, 0.5),
        "max_bins": pick(rng, None, None, None, 255, 16),
        "random_state": int(rng.integers(1000)),
    }
    if kind == "wavelet forest":
        drawn["n_terms"] = pick(rng, "oob", "oob", "cv", None, 10)
        drawn["max_samples"] = pick(rng, 0.632, 0.632, 0.3, max(rows // 4, 2))
        return drawn
    is_test = kind == "difference"
    others = [] if is_test else ["elisha-dekel", "sparsity-probe"]
    drawn["index"] = pick(rng, "mterm", "mterm", "weak-lp", *others)
    drawn["max_samples"] = pick(
        rng, 0.8, 0.8, 0.5, 1.0, max(rows // 4, 5), max(rows // 2, 5)
    )
    drawn["measure"] = pick(rng, "samples", "samples", "volume")
    drawn["p"] = pick(rng, 2, 2, 2, 1, 1.5, 3)
    drawn["confidence_level"] = pick(rng, 0.95, 0.8)
    return drawn


def draw_forest(rng, options):
    """Class of a forest of scikit-learn that takes these samples, and its parameters."""
    names = ["RandomForest", "ExtraTrees", "Bagging", "DecisionTree"]
    if options["target"] != "outputs":
        names += ["GradientBoosting"] * (options["features"] != "nan")
        names += ["HistGradientBoosting"] * (options["features"] != "sparse")
    name = pick(rng, *names)
    sizes = {"HistGradientBoosting": {"max_iter": 4}, "DecisionTree": {}}
    parameters = sizes.get(name, {"n_estimators": 4})
    is_regressor = options["target"] in ("regression", "outputs")
    if options["kind"] == "foreign forest" and not name.endswith("Boosting"):
        is_regressor |= rng.random() < 0.25  # fits classes as points of several coordinates
    name += "Regressor" if is_regressor else "Classifier"
    return name, {**parameters, "random_state": int(rng.integers(1000))}


# The samples


def draw_samples(number, options):
    """Features, targets and weights of the fit, and of half as many samples to score."""
    rng = np.random.default_rng([61, number])
    n_fit, n_columns = options["rows"], options["columns"]
    n = n_fit * 3 // 2
    X = rng.standard_normal((n, n_columns))
    few_valued = rng.random(n_columns) < 0.2
    X[:, few_valued] = X[:, few_valued].round()
    X[: n // 20] = X[n // 20 : 2 * (n // 20)]  # the same features with other targets
    value = np.sin(2 * X[:, 0]) + X[:, n_columns // 2] * (X[:, -1] > 0.3)
    value += pick(rng, 0.0, 0.1, 0.5) * rng.standard_normal(n)
    y = draw_targets(rng, value, options["target"])
    X, hidden = X.astype(options["dtype"]), rng.random(X.shape) < 0.2
    if options["features"] == "nan":
        X[hidden] = np.nan
    elif options["features"] == "sparse":
        X = sparse.csr_matrix(np.where(hidden, X, 0))
    weights = {
        "none": None,
        "whole": rng.integers(1, 4, n).astype(float),
        "uneven": rng.uniform(0.1, 3, n),
        "zeros": rng.integers(0, 3, n).astype(float),
    }[options["weights"]]
    return [
        tuple(None if part is None else part[rows] for part in (X, y, weights))
        for rows in (slice(n_fit), slice(n_fit, None))
    ]


def draw_targets(rng, value, kind):
    if kind == "regression":
        return value
    if kind == "outputs":
        return np.column_stack([value, value**2, value > 0])
    shares = pick(rng, [0.5], [0.2, 0.6], [0.3, 0.5, 0.9])
    codes = np.searchsorted(np.quantile(value, shares), value)
    return codes if kind == "classes" else np.array(["ant", "bee", "cat", "dog"])[codes]


# The results


def make_index(options):
    return sksmooth.BesovSmoothnessEstimator(
        forest=make_forest(options["forest"]), **options["parameters"]
    )


def make_forest(forest):
    if forest is None:
        return None
    name, parameters = forest
    module = sklearn.tree if hasattr(sklearn.tree, name) else sklearn.ensemble
    return getattr(module, name)(**parameters)


def results_of(number, options):
    """Names and values of what a fit gives."""
    samples, others = draw_samples(number, options)
    if options["kind"] in ("index", "foreign forest"):
        return of_estimator(samples, others, options)
    if options["kind"] == "wavelet forest":
        return of_wavelet_forest(samples, others, options)
    if options["kind"] == "difference":
        return of_difference(samples, options)
    if options["kind"] == "layers":
        return of_layers(samples, options)
    if options["kind"] == "other":
        is_even = number // len(KINDS) % 2 == 0
        return (of_decomposition if is_even else of_permutations)(samples, options)
    return of_roughness(samples, options)


def of_estimator(samples, others, options):
    X, y, weights = samples
    estimator = make_index(options).fit(X, y, sample_weight=weights)
    yield from of_index(estimator)
    yield "score", estimator.score(*others)
    yield "transform", estimator.transform(others[0])
    yield "get_feature_names_out", estimator.get_feature_names_out()


def of_index(estimator):
    names = OF_INDICES + ["classes_"] * hasattr(estimator, "classes_")
    if estimator.index == "mterm":
        names = [*names, "n_terms_", "errors_", "fit_range_"]
    for name in names:
        holder, _, attribute = name.rpartition(".")
        yield name, getattr(getattr(estimator, holder) if holder else estimator, attribute)
    yield from of_wavelets(estimator.wavelets_)


def of_wavelets(wavelets):
    for name in OF_WAVELETS:
        yield f"wavelets_.{name}", getattr(wavelets, name)


def of_wavelet_forest(samples, others, options):
    is_class = options["target"] in ("classes", "labels")
    kind = "Classifier" if is_class else "Regressor"
    forest = getattr(sksmooth, f"WaveletForest{kind}")(
        forest=make_forest(options["forest"]), **options["parameters"]
    ).fit(*samples)
    for name in ("n_terms_", "validation_errors_", "oob_score_", "feature_importances_"):
        yield name, getattr(forest, name, None)
    yield from of_wavelets(forest.wavelets_)
    for name in ("predict", "apply", *["predict_proba"] * is_class):
        yield name, getattr(forest, name)(others[0])
    stages = np.unique(np.linspace(0, forest.n_terms_, 5).astype(int))
    yield "staged_predict", np.stack(list(forest.staged_predict(others[0], stages)))


def of_difference(samples, options):
    X, y, weights = samples
    other = X.power(2) if sparse.issparse(X) else np.hstack([X[:, ::-1] ** 2, X])
    found = sksmooth.smoothness_difference(
        X, other, y, estimator=make_index(options), sample_weight=weights
    )
    for name in ("alpha_a", "alpha_b", "difference", "interval", "p_value"):
        yield name, getattr(found, name)
    for which, estimator in zip("ab", found.estimators, strict=True):
        for name, value in of_index(estimator):
            yield f"{which}.{name}", value


def of_roughness(samples, options):
    X, y, weights = samples
    is_class = options["kind"] == "classes"
    measure = sksmooth.class_smoothness if is_class else sksmooth.sample_roughness
    frame = measure(X, y, estimator=make_index(options), sample_weight=weights)
    yield from frame.items()


def of_layers(samples, options):
    """Compare the layers of a small network, and take two of them as features."""
    import torch
    from torch import nn

    X, y, weights = samples
    X = np.nan_to_num(X.toarray() if sparse.issparse(X) else X)
    torch.manual_seed(options["parameters"]["random_state"])
    wide, narrow = nn.Linear(X.shape[1], 12), nn.Linear(12, 6)
    network = nn.Sequential(wide, nn.ReLU(), narrow, nn.Tanh(), nn.Linear(6, 3))
    estimator = make_index(options)
    table = sksmooth.compare_layers(
        network, X, y, None, estimator, ["nc1"], sample_weight=weights, random_state=0
    )
    for name in OF_LAYERS:
        yield name, list(table[name])
    layers = sksmooth.LayerFeatureTransformer(network, ["1", "3"], random_state=0)
    width = "n_components" if "n_components" in layers.get_params() else "max_features"
    layers.set_params(**{width: 8})  # its name before version 0.1
    yield "transform", layers.fit(X).transform(X)
    yield "get_feature_names_out", layers.get_feature_names_out()


def of_decomposition(samples, options):
    X, y, weights = samples
    grown_on = y if y.dtype.kind == "f" else np.unique(y, return_inverse=True)[1]
    tree = sklearn.tree.DecisionTreeRegressor(random_state=0).fit(X, grown_on)
    given = {name: options["parameters"][name] for name in ("p", "measure")}
    return of_wavelets(
        sksmooth.wavelet_decomposition(tree, X, y, sample_weight=weights, **given)
    )


def of_permutations(samples, options):
    X, y, _ = samples
    found = sksmooth.permutation_baseline(
        make_index(options), X, y, n_permutations=2, random_state=0
    )
    for name in ("alpha", "alphas", "p_value"):
        yield name, getattr(found, name)
