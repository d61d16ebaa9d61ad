"""Pairs of representations: equally good ones, and ones of which the second is better.

Every function takes a number of samples, random numbers and a seed, and gives ``X_a``,
``X_b`` and ``y``. The digits are few: pairs of them have at most 1,200 samples, so that
there are others to learn from.
"""

import numpy as np
from sklearn.datasets import load_digits, make_classification, make_friedman1
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sksmooth.datasets import make_known_smoothness

PIXELS, NUMERALS = load_digits(return_X_y=True)
MOST_DIGITS = 1200


def digits(n, rng):
    """Some of the digits, and the rows that are not among them."""
    order = rng.permutation(len(PIXELS))
    chosen, others = np.split(order, [min(n, MOST_DIGITS)])
    return PIXELS[chosen], NUMERALS[chosen], others


def noisy(X, rng, *widths):
    """The same features with noise of given widths, drawn anew each time."""
    return [X + width * rng.standard_normal(X.shape) for width in widths]


def jump(n, rng, seed, widths, n_relevant=2):
    X, y, _ = make_known_smoothness("jump", n, n_relevant=n_relevant, random_state=seed)
    return *noisy(X, rng, *widths), y


def rings(n, rng):
    """Three classes by their distance from the middle."""
    y = rng.randint(3, size=n)
    angle = rng.uniform(0, 2 * np.pi, size=n)
    return (1 + y)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), y


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def words(n, rng, *lengths):
    """Counts of a hundred words in documents of four topics, of given mean lengths."""
    topics = np.random.RandomState(0).dirichlet(np.full(100, 0.3), size=4)
    y = rng.randint(4, size=n)
    mixed = 0.5 * topics[y] + 0.5 * rng.dirichlet(np.full(100, 0.3), size=n)
    return *(rng.poisson(length * mixed).astype(float) for length in lengths), y


# Equally good, and used to choose the test.


def noise_columns(n, rng, seed):
    X, y, _ = make_known_smoothness("smooth", n, random_state=seed)
    return *(np.hstack([X, rng.uniform(size=(n, 4))]) for _ in "ab"), y


def equal_blur(n, rng, seed):
    return jump(n, rng, seed, (0.05, 0.05))


def random_labels(n, rng, seed):
    return *(rng.uniform(size=(n, 3)) for _ in "ab"), rng.randint(3, size=n)


def rotated_ball(n, rng, seed):
    X = rng.standard_normal((n, 4))
    y = (np.linalg.norm(X, axis=1) > 1.8).astype(int)
    return X @ rotation(rng, 4), X @ rotation(rng, 4), y


def projected_ball(n, rng, seed):
    X = rng.standard_normal((n, 8))
    y = (np.linalg.norm(X, axis=1) > 2.7).astype(int)
    return *((X @ rotation(rng, 8))[:, :4] for _ in "ab"), y


def noisy_digits(n, rng, seed):
    X, y, _ = digits(n, rng)
    return *noisy(X, rng, 4, 4), y


def noisy_clusters(n, rng, seed):
    X, y = make_classification(
        n, 6, n_informative=4, n_redundant=0, n_classes=3, flip_y=0.1, random_state=seed
    )
    return *noisy(X, rng, 0.5, 0.5), y


def friedman_columns(n, rng, seed):
    X, y = make_friedman1(n, 5, noise=1.0, random_state=rng)
    return *(np.hstack([X, rng.uniform(size=(n, 5))]) for _ in "ab"), y


# Equally good, and new to the test.


def halves_of_columns(n, rng, seed):
    y = rng.randint(2, size=n)
    signal = 0.6 * y[:, None] + 0.5 * rng.standard_normal((n, 1))
    X = signal + rng.standard_normal((n, 40))
    order = rng.permutation(40)
    return X[:, order[:20]], X[:, order[20:]], y


def columns_in_another_order(n, rng, seed):
    X, y, _ = digits(n, rng)
    return X, X[:, rng.permutation(X.shape[1])], y


def rounded(n, rng, seed):
    X_a, X_b, y = jump(n, rng, seed, (0.05, 0.05))
    return np.round(20 * X_a), np.round(20 * X_b), y


def wrong_labels(n, rng, seed):
    X_a, X_b, y = jump(n, rng, seed, (0.05, 0.05))
    is_wrong = rng.uniform(size=n) < 0.2
    return X_a, X_b, np.where(is_wrong, rng.permutation(y), y)


def heavy_columns(n, rng, seed):
    X, y, _ = make_known_smoothness("smooth", n, random_state=seed)
    return *(np.hstack([X, rng.standard_cauchy(size=(n, 4))]) for _ in "ab"), y


def heavy_errors(n, rng, seed):
    X, y = make_friedman1(n, 5, noise=1.0, random_state=rng)
    return *noisy(X, rng, 0.1, 0.1), y + 2 * rng.standard_t(2, size=n)


def two_outputs(n, rng, seed):
    X, y = make_friedman1(n, 5, noise=1.0, random_state=rng)
    second = np.cos(5 * X[:, 0]) + X[:, 3] + 0.3 * rng.standard_normal(n)
    return *noisy(X, rng, 0.1, 0.1), np.column_stack([y / 5, second])


def noisy_rings(n, rng, seed):
    X, y = rings(n, rng)
    return *noisy(X, rng, 0.3, 0.3), y


def rare_class(n, rng, seed):
    X = rng.standard_normal((n, 4))
    y = (X[:, 0] + 0.5 * X[:, 1] ** 2 > np.quantile(X[:, 0] + 0.5 * X[:, 1] ** 2, 0.93)) * 1
    return *noisy(X, rng, 0.4, 0.4), y


def counted_words(n, rng, seed):
    return words(n, rng, 30, 30)


def skewed_or_its_logarithm(n, rng, seed):
    X = rng.standard_normal((n, 4))
    y = (X[:, 0] + X[:, 1] + 0.5 * rng.standard_normal(n) > 0).astype(int)
    X_a, X_b = noisy(X, rng, 0.3, 0.3)
    return np.exp(X_a), X_b, y


# Equal on average over the choice of columns or directions, but not for those at hand.


def projected_digits(n, rng, seed):
    X, y, _ = digits(n, rng)
    return *(X @ rng.standard_normal((64, 12)) for _ in "ab"), y


def some_pixels(n, rng, seed):
    X, y, _ = digits(n, rng)
    return *(X[:, rng.permutation(64)[:20]] for _ in "ab"), y


# The second is better; the first seven were used to choose the test.


def more_or_less_blur(n, rng, seed):
    return jump(n, rng, seed, (0.05, 0.03), n_relevant=3)


def lost_column_numbers(n, rng, seed):
    X = rng.uniform(size=(n, 5))
    y = np.sin(4 * X[:, 0]) + X[:, 1] + 0.3 * X[:, 2] + 0.5 * rng.standard_normal(n)
    lost = X.copy()
    lost[:, 2] = rng.uniform(size=n)
    return lost, X, y


def lost_column_classes(n, rng, seed):
    X = rng.standard_normal((n, 5))
    y = (X @ [1, 0.8, 0.5, 0, 0] + 0.5 * rng.standard_normal(n) > 0).astype(int)
    lost = X.copy()
    lost[:, 2] = rng.standard_normal(n)
    return lost, X, y


def twice_the_components(n, rng, seed):
    X, y, others = digits(n, rng)
    components = PCA(20, random_state=0).fit(PIXELS[others]).transform(X)
    return components[:, :10], components, y


def supervised_components(n, rng, seed):
    X, y, others = digits(n, rng)
    supervised = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    return (
        PCA(9, random_state=0).fit(PIXELS[others]).transform(X),
        supervised.fit(PIXELS[others], NUMERALS[others]).transform(X),
        y,
    )


def less_noise(n, rng, seed):
    X, y, _ = digits(n, rng)
    return *noisy(X, rng, 4, 3), y


def no_noise_columns(n, rng, seed):
    X, y = make_friedman1(n, 5, noise=1.0, random_state=rng)
    return np.hstack([X, rng.uniform(size=(n, 10))]), X, y


def half_of_the_pixels(n, rng, seed):
    X, y, _ = digits(n, rng)
    return X[:, rng.permutation(64)[:32]], X, y


def coarsely_or_finely(n, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, n_relevant=3, random_state=seed)
    return np.round(8 * X), np.round(24 * X), y


def longer_documents(n, rng, seed):
    return words(n, rng, 20, 30)


def thinner_rings(n, rng, seed):
    X, y = rings(n, rng)
    return *noisy(X, rng, 0.35, 0.3), y


CHOSEN_ON = {
    "noise columns": noise_columns,
    "equal blur": equal_blur,
    "random labels": random_labels,
    "rotations of a ball": rotated_ball,
    "projections of a ball": projected_ball,
    "digits, equal noise": noisy_digits,
    "clusters, equal noise": noisy_clusters,
    "numbers, noise columns": friedman_columns,
}
NEW = {
    "halves of equal columns": halves_of_columns,
    "columns in another order": columns_in_another_order,
    "equal blur, rounded": rounded,
    "equal blur, wrong labels": wrong_labels,
    "Cauchy noise columns": heavy_columns,
    "heavy-tailed errors": heavy_errors,
    "two outputs": two_outputs,
    "three rings, equal noise": noisy_rings,
    "rare class, equal noise": rare_class,
    "counts, equal length": counted_words,
    "logarithm, equal noise": skewed_or_its_logarithm,
}
EQUAL_ON_AVERAGE = {
    "digits, projected twice": projected_digits,
    "digits, twenty pixels twice": some_pixels,
}
DIFFERENT = {
    "blur of 5 % or 3 %": more_or_less_blur,
    "weak column lost, numbers": lost_column_numbers,
    "weak column lost, classes": lost_column_classes,
    "10 or 20 components": twice_the_components,
    "PCA or LDA": supervised_components,
    "digits, more or less noise": less_noise,
    "noise columns or none": no_noise_columns,
    "half of the pixels lost": half_of_the_pixels,
    "rounded coarsely or finely": coarsely_or_finely,
    "counts, shorter or longer": longer_documents,
    "rings, more or less noise": thinner_rings,
}
# Neighbours do care for a logarithm.
NOT_FOR_NEIGHBOURS = "logarithm, equal noise"
