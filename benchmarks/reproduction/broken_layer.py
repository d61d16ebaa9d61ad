"""A layer that has lost its weights, and whether ``compare_layers`` finds it.

    python benchmarks/reproduction/broken_layer.py --data DIR [--cache DIR] [--seeds 3]

The lecture's networks for CIFAR-10, which ``layers_cifar10.py`` trains; one of their fully
connected layers gets the random weights it had before training, as happens when a state is
loaded that does not name all of them. The layers before it are as they were, so the
comparison starts from the last of these.
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
    write_lecture,
)
from layers_cifar10 import EPOCHS, N_LAYERS, folder_of

from sksmooth import BesovSmoothnessEstimator

BROKEN = {  # what is named: the module that is lost, and the layers that are compared
    "fully connected, 384": (7, ["6", "8", "10", "11"]),
    "fully connected, 192": (9, ["8", "10", "11"]),
}


def measured(data, cache, seed, n_jobs):
    """Rows of the layers from the last sound one on, for every layer that is lost."""
    (X, y), (X_test, y_test) = (
        (centre(grey(images)), y)
        for images, y in (load_cifar10(data, cache, split) for split in ("train", "test"))
    )
    for name, (place, layers) in BROKEN.items():
        module = load(lecture_network, folder_of(cache, seed), EPOCHS)
        torch.manual_seed(seed)
        module[place].reset_parameters()
        known = dict(lost=name, seed=seed, test_accuracy=accuracy(module, X_test, y_test))
        by = {"mterm": BesovSmoothnessEstimator(random_state=0)}
        options = dict(by=by, layers=layers, test=(X_test, y_test), n_jobs=n_jobs)
        yield from measure(module, X[:N_LAYERS], y[:N_LAYERS], known, **options)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for seed in range(options.seeds):
        rows += measured(options.data, options.cache, seed, options.n_jobs)
        write_lecture("broken_layer", rows)
