"""How often the test of a rise finds one: for equal levels, rising ones, and in networks.

    python benchmarks/trends.py [--npz FILE] [--parts levels network] [--repetitions 25]

``rise`` is compared with two alternatives in the same run: Page's contrast of the scores
with their order, as Student's t, and the isotonic statistic among permutations of the
layers within ten paired replicates, each with a tenth of the samples and of the trees.

The network is the lecture's, of six layers, on MNIST: before training, after it, and its
last hidden layer over the epochs. Samples are drawn from the 5,000 images that it was
trained on, and from as many others.
"""

import argparse
import warnings

import numpy as np
from _data import load_images
from _results import write_results
from joblib import Parallel, delayed
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.isotonic import IsotonicRegression

from sksmooth.datasets import make_known_smoothness
from sksmooth.index import randomised_error, rise
from sksmooth.samples import read_samples, sampling_units
from sksmooth.trees import Growth, randomised

SHARE = 0.8  # of the samples that the estimator's trees see, by default


# Data sets in several representations


def noise_columns(n, k, rng, seed):
    X, y, _ = make_known_smoothness("smooth", n, random_state=seed)
    return [np.hstack([X, rng.uniform(size=(n, 4))]) for _ in range(k)], y


def equal_blur(n, k, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, random_state=seed)
    return [X + 0.05 * rng.standard_normal(X.shape) for _ in range(k)], y


def random_labels(n, k, rng, seed):
    return [rng.uniform(size=(n, 3)) for _ in range(k)], rng.randint(3, size=n)


def rotations(n, k, rng, seed):
    X = rng.standard_normal((n, 4))
    y = (np.linalg.norm(X, axis=1) > 1.8).astype(int)
    return [X @ np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(k)], y


def noisy_digits(n, k, rng, seed):
    X, y = load_digits(return_X_y=True)
    rows = rng.permutation(len(X))[:n]
    return [X[rows] + 4 * rng.standard_normal((n, 64)) for _ in range(k)], y[rows]


def blurred(n, widths, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, n_relevant=3, random_state=seed)
    return [X + width * rng.standard_normal(X.shape) for width in widths], y


def less_blur(n, k, rng, seed):
    return blurred(n, np.linspace(0.05, 0.03, k), rng, seed)


def less_blur_in_one_step(n, k, rng, seed):
    return blurred(n, np.where(np.arange(k) < k // 2, 0.05, 0.035), rng, seed)


def less_blur_at_the_end(n, k, rng, seed):
    return blurred(n, np.where(np.arange(k) < k - 1, 0.05, 0.03), rng, seed)


def less_and_more_blur(n, k, rng, seed):
    return blurred(n, 0.04 + 0.02 * abs(np.linspace(-1, 1, k)), rng, seed)


def more_blur(n, k, rng, seed):
    return blurred(n, np.linspace(0.03, 0.05, k), rng, seed)


EQUAL = {
    "different noise columns": noise_columns,
    "different noise on the features": equal_blur,
    "random labels": random_labels,
    "rotated, rings": rotations,
    "digits with equal noise": noisy_digits,
}
OTHERS = {
    "steady rise": less_blur,
    "one step in the middle": less_blur_in_one_step,
    "one step at the end": less_blur_at_the_end,
    "rise and equal fall": less_and_more_blur,
    "steady fall": more_blur,
}


# Tests


def levels_of(representations, y, seed):
    """Levels of representations, all on the same subsamples, as ``compare_layers`` does."""
    read = [read_samples(X, y, None) for X in representations]
    first = read[0]
    units = sampling_units(
        [samples.X for samples in read], first.targets.tie_break, first.weights
    )
    growth = randomised(Growth(max_samples=SHARE, random_state=seed))
    return [
        randomised_error(samples.drawn_by(units), growth, 2.0).level(
            units.unit, SHARE * units.n_units
        )
        for samples in read
    ]


def page(levels):
    """One-sided p-value of the contrast with the order, by samples and trees."""
    contrast = np.arange(len(levels)) - (len(levels) - 1) / 2
    influence = contrast @ np.stack([level.influence for level in levels])
    without = contrast @ np.stack([level.without_trees for level in levels])
    n, n_groups = len(influence), len(without)
    parts = influence @ influence * n / (n - 1), (n_groups - 1) * np.var(without)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (n_groups - 1))
    score = contrast @ [level.score for level in levels]
    return stats.t.sf(score / np.sqrt(sum(parts)), freedom)


def permuted(levels, n_permutations=199):
    """p-value of the isotonic statistic among layers permuted within replicates."""
    rng = np.random.RandomState(0)
    without = np.stack([level.without_trees for level in levels], axis=1)
    n_groups = len(without)
    group = rng.permutation(len(levels[0].influence)) % n_groups
    of_samples = [np.bincount(group, level.influence) for level in levels]
    replicates = [level.score for level in levels] + n_groups * np.transpose(of_samples)
    replicates = replicates + (n_groups - 1) * (without.mean(axis=0) - without)
    fit, order = IsotonicRegression(), np.arange(len(levels))

    def statistic(scores):
        fitted = fit.fit_transform(order, scores)
        return np.var(fitted) - np.mean((scores - fitted) ** 2)

    found = statistic(replicates.mean(axis=0))
    drawn = []
    for _ in range(n_permutations):
        order_in_each = rng.uniform(size=replicates.shape).argsort(axis=1)
        mixed = np.take_along_axis(replicates, order_in_each, axis=1)
        drawn.append(statistic(mixed.mean(axis=0)))
    return (1 + np.sum(np.array(drawn) >= found)) / (n_permutations + 1)


def p_values(levels):
    """Verdicts and p-values of one set of levels."""
    found = rise(levels)
    return {
        "said to rise, %": found.rises,
        "p < 0.05, %": found.p_value <= 0.05,
        "a fall is shown, %": found.falls,
        "Page's contrast, %": page(levels) <= 0.05,
        "permuted layers, %": permuted(levels) <= 0.05,
        "largest p": found.p_value,
    }


def summary(rows):
    """Shares in per cent, and the largest p-value."""
    row = {"runs": len(rows)}
    for name in rows[0]:
        values = [each[name] for each in rows]
        row[name] = max(values) if name == "largest p" else 100 * float(np.mean(values))
    return row


def one(case, n, k, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return p_values(
            levels_of(*case(n, k, np.random.RandomState(1000 + seed), seed), seed)
        )


def simulate(repetitions, jobs):
    """Tables of equal levels, and of others."""
    figures = {}
    for title, cases in (("equal levels", EQUAL), ("other levels", OTHERS)):
        figures[title] = table = {}
        for n, k, runs in ((400, 4, 1), (400, 8, 1), (1500, 6, 0.4)):
            pooled = []
            for name, case in cases.items():
                rows = Parallel(jobs)(
                    delayed(one)(case, n, k, seed)
                    for seed in range(max(1, round(runs * repetitions)))
                )
                table[f"{name}, {n} samples, {k} levels"] = summary(rows)
                pooled += rows
            if title == "equal levels":
                table[f"all, {n} samples, {k} levels"] = summary(pooled)
    return figures


# Networks


def features(network, X):
    """Outputs of the blocks that the lecture calls layers, after the input."""
    import torch

    blocks = (network[:3], network[3:7], network[7:9], network[9:11], network[11:])
    found = [X]
    with torch.inference_mode():
        for block in blocks:
            found.append(block(found[-1]))
    return [each.numpy().reshape(len(each), -1) for each in found]


def trained(X, y, seed, epochs):
    """States of the lecture's network at every epoch."""
    import torch
    from reproduction.common import lecture_network, run_epochs

    torch.manual_seed(seed)
    network = lecture_network()
    states = [{name: value.clone() for name, value in network.state_dict().items()}]
    for row in run_epochs(network, X, y, epochs):
        print(row, flush=True)
        state = network.state_dict()
        states.append({name: value.clone() for name, value in state.items()})
    return network.eval(), states


def tests_of_network(network, states, X, y, seed):
    """Test depth before and after training, and one layer over the training."""
    by_state = []
    for state in states:
        network.load_state_dict(state)
        by_state.append(features(network, X))
    depths = by_state[0], by_state[-1]
    history = [found[4] for found in by_state]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        levels = levels_of([*depths[0], *depths[1][1:], *history[1:-1]], y, seed)
    before, after = levels[:6], [levels[0], *levels[6:11]]
    over_time = [levels[4], *levels[11:], levels[9]]
    names = "layers before training", "layers after training", "epochs, last hidden layer"
    return dict(zip(names, map(p_values, (before, after, over_time)), strict=True))


def networks(npz, n_networks, epochs, sizes):
    """Table of tests of networks."""
    import torch
    from reproduction.common import centre, grey

    images, labels = load_images(npz, 10_000)
    X = torch.as_tensor(centre(grey(images.reshape(-1, 28, 28))))
    rows = {}
    for seed in range(n_networks):
        rng = np.random.RandomState(seed)
        network, states = trained(X[:5000], torch.as_tensor(labels[:5000]), seed, epochs)
        for n, repetitions in sizes.items():
            for repetition in range(repetitions):
                start = 5000 * ((repetition + seed) % 2)  # trained on, or others
                drawn = start + rng.permutation(5000)[:n]
                found = tests_of_network(
                    network, states, X[drawn], labels[drawn], repetition
                )
                for name, row in found.items():
                    rows.setdefault(f"{name}, {n} images", []).append(row)
                    print(n, name, row, flush=True)
    return {"networks": {name: summary(found) for name, found in rows.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz", help="MNIST; from OpenML if not given")
    parser.add_argument("--parts", nargs="+", default=["levels", "network"])
    parser.add_argument("--repetitions", type=int, default=25)
    parser.add_argument("--networks", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    setup = (
        f"{args.repetitions} repetitions a row at 400 samples; {args.networks} networks of "
        "3 epochs on 5,000 images, each on 6 sets of 500 images and one of 5,000, half of "
        "which it was not trained on; tests at level 5 %"
    )
    if "levels" in args.parts:
        figures = simulate(args.repetitions, args.jobs)
        write_results("trends", figures, setup=setup, append=True)
    if "network" in args.parts:
        figures = networks(args.npz, args.networks, 3, {500: 6, 5000: 1})
        write_results("trends", figures, setup=setup, libraries=["torch"], append=True)


if __name__ == "__main__":
    main()
