"""Zhang et al. 2017: true, half and fully random labels, shuffled, random, Gaussian pixels.

    python benchmarks/reproduction/random_labels.py --data DIR [--cache DIR]

C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, Understanding deep learning requires
rethinking generalization, ICLR 2017: a network memorises all of these. What does its
smoothness say? The lecture's network, the first 10,000 images of CIFAR-10.
"""

import numpy as np
import torch
from common import (
    accuracy,
    centre,
    grey,
    lecture_network,
    load,
    load_cifar10,
    measure,
    parser,
    quick,
    read_rows,
    train,
    write_lecture,
)

SETTINGS = (
    *("true labels", "half random labels", "random labels"),
    *("shuffled pixels", "random pixels", "Gaussian images"),
)
NOISE = SETTINGS[-2:]  # on which Adam stays where it starts, or learns half of them
N_IMAGES = 10_000
EPOCHS = dict.fromkeys(SETTINGS, 40) | {"true labels": 25, "half random labels": 25}


def change_labels(setting, y, rng):
    """Draw the labels anew with probability 0, 1/2 or 1; it may be the true one."""
    share = {"half random labels": 0.5, "random labels": 1.0}.get(setting, 0.0)
    return np.where(rng.random(len(y)) < share, rng.integers(10, size=len(y)), y)


def change_images(setting, X, rng):
    """Permute the pixels of all alike, of each anew, or take Gaussian noise."""
    flat = X.reshape(len(X), -1)
    if setting == "shuffled pixels":
        order = np.random.default_rng(0).permutation(flat.shape[1])  # of test images too
        flat = flat[:, order]
    elif setting == "random pixels":
        flat = rng.permuted(flat, axis=1)
    elif setting == "Gaussian images":
        flat = rng.normal(flat.mean(), flat.std(), flat.shape).astype(np.float32)
    return np.ascontiguousarray(flat).reshape(X.shape)


def data_of(setting, data, cache, split, seed, n=None):
    """Images and labels of a setting, and the true labels."""
    rng = np.random.default_rng([seed, SETTINGS.index(setting), split == "test"])
    images, y = load_cifar10(data, cache, split)
    images, y = images[:n], y[:n]
    X = change_images(setting, centre(grey(images)), rng)
    return X, change_labels(setting, y, rng), y


def folder_of(cache, setting, seed):
    return cache / f"zhang_{setting.replace(' ', '_').lower()}_seed{seed}"


def trainings(data, cache, seed):
    for setting in SETTINGS:
        X, labels, _ = data_of(setting, data, cache, "train", seed, N_IMAGES)
        folder = folder_of(cache, setting, seed)
        options = dict(epochs=EPOCHS[setting], seed=seed, warm=0.1, rate=1e-3)
        if setting in NOISE:
            options |= dict(rate=0.05, momentum=0.9)
        train(lecture_network, X, labels, folder, **options)


def measured(setting, data, cache, seed, n_jobs):
    """Rows of all layers, of the labels trained on; test images are of the same setting."""
    X, labels, _ = data_of(setting, data, cache, "train", seed, N_IMAGES)
    X_test, labels_test, y_test = data_of(setting, data, cache, "test", seed)
    module = load(lecture_network, folder_of(cache, setting, seed), EPOCHS[setting])
    known = dict(setting=setting, seed=seed, train_accuracy=accuracy(module, X, labels))
    known |= dict(test_error=1 - accuracy(module, X_test, y_test))
    options = dict(by=quick(), test=(X_test, labels_test), n_jobs=n_jobs)
    return measure(module, X, labels, known, **options)


def histories(cache, seed):
    """Training loss of all settings, epoch by epoch."""
    for setting in SETTINGS:
        for row in read_rows(folder_of(cache, setting, seed) / "history.csv"):
            yield dict(setting=setting, seed=seed) | row


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=0)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    trainings(options.data, options.cache, options.seed)
    if not options.train_only:
        write_lecture("random_labels_history", histories(options.cache, options.seed))
        rows = []
        for setting in SETTINGS:
            where = options.data, options.cache
            rows += measured(setting, *where, options.seed, options.n_jobs)
            write_lecture("random_labels", rows)
