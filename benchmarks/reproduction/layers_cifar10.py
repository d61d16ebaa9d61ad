"""Conjectures 1 and 2: smoothness rises through the layers, and through training.

    python benchmarks/reproduction/layers_cifar10.py --data DIR [--cache DIR] [--seeds 3]

The lecture's network is trained on all of CIFAR-10, then the labels are measured on the
values of every layer: at the end of training, and for seed 0 also on the way.
"""

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
    train,
    write_lecture,
)

EPOCHS = 12
KEPT = (0, 1, 2, 4, 8)
N_LAYERS, N_EPOCHS = 20_000, 10_000  # training images measured


def folder_of(cache, seed):
    return cache / f"lecture_seed{seed}"


def trainings(data, cache, seeds):
    """Train on 50,000 images, random crops of them, once for every seed."""
    images, y = load_cifar10(data, cache, "train")
    X = grey(images)
    options = dict(epochs=EPOCHS, keep=KEPT, augment=True, decay=0.01)
    for seed in range(seeds):
        train(lecture_network, X, y, folder_of(cache, seed), seed=seed, **options)


def measured(data, cache, seed, epochs, n, **options):
    """Rows of all layers after each of ``epochs``, with the accuracy on test images."""
    (X, y), (X_test, y_test) = (
        (centre(grey(images)), y)
        for images, y in (load_cifar10(data, cache, split) for split in ("train", "test"))
    )
    for epoch in epochs:
        module = load(lecture_network, folder_of(cache, seed), epoch)
        known = dict(seed=seed, epoch=epoch, test_accuracy=accuracy(module, X_test, y_test))
        test = X_test, y_test
        yield from measure(module, X[:n], y[:n], known, test=test, **options)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    trainings(options.data, options.cache, options.seeds)
    if not options.train_only:
        where, n_jobs = (options.data, options.cache), options.n_jobs
        epochs = *KEPT, EPOCHS
        rows = measured(*where, 0, epochs, N_EPOCHS, by=quick(), n_jobs=n_jobs)
        write_lecture("epochs", rows)
        rows = []
        for seed in range(options.seeds):
            rows += measured(*where, seed, [EPOCHS], N_LAYERS, n_jobs=n_jobs)
            write_lecture("layers", rows)
