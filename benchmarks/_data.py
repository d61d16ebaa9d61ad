"""Data, models and clocks that several benchmarks share."""

import time
import warnings
from functools import cache
from importlib.metadata import files
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml

from sksmooth import BesovSmoothnessEstimator


def load_images(npz, n_samples=None):
    """Load the first images of MNIST, or all, as rows, and their labels as integers.

    ``npz`` is a file of ``train_image`` and ``train_label``; without it the images come
    from OpenML.
    """
    if npz is None:
        X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
        return X[:n_samples].astype(np.float32), y[:n_samples].astype(int)
    with np.load(npz) as arrays:
        images, labels = arrays["train_image"][:n_samples], arrays["train_label"]
    return images.reshape(len(images), -1).astype(np.float32), labels[:n_samples].astype(
        int
    )


def load_colour_images(npz, n_samples=None):
    """Images of CIFAR-10 of shape (n, 32, 32, 3), and their labels, as above."""
    if npz is None:
        X, y = fetch_openml("CIFAR_10", return_X_y=True, as_frame=False)
        X = X[:n_samples].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return X, y[:n_samples].astype(int)
    with np.load(npz) as arrays:
        images, labels = arrays["train_image"][:n_samples], arrays["train_label"]
    return images.reshape(-1, 32, 32, 3), labels[:n_samples].ravel().astype(int)


def prototype_images(n_images, shape, noise=1.0, scale=0.5):
    """Noise around ten random prototypes, so that there is something to learn."""
    rng = np.random.RandomState(0)
    y = rng.randint(10, size=n_images)
    X = scale * rng.standard_normal((10, *shape))[y]
    return (X + noise * rng.standard_normal(X.shape)).astype(np.float32), y


def quiet_fit(X, y, **options):
    """Fit an estimator without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BesovSmoothnessEstimator(**options).fit(X, y)


def seconds_of(action, clock=time.perf_counter):
    """Seconds that a function takes, and what it returns."""
    start = clock()
    result = action()
    return clock() - start, result


def in_turns(actions, repeats=5, clock=time.perf_counter, *, is_warm=False):
    """Median seconds of functions that run one after the other, several times.

    The first one runs once more before, unless all that it needs is compiled and warm.
    """
    if not is_warm:
        next(iter(actions.values()))()
    runs = [
        {name: seconds_of(run, clock)[0] for name, run in actions.items()}
        for _ in range(repeats)
    ]
    return {name: float(np.median([run[name] for run in runs])) for name in actions}


@cache
def molecule_tables():
    """Paths of the tables of MoleculeACE's targets, by name; it is not imported."""
    found = (f for f in files("MoleculeACE") or () if f.parent.name == "benchmark_data")
    return {Path(f).stem: f.locate() for f in sorted(found) if f.suffix == ".csv"}
