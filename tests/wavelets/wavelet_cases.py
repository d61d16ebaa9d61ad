"""Small forests whose decomposition is also computed by the plain reference."""

from dataclasses import replace

import numpy as np
import reference
from sklearn.ensemble import RandomForestRegressor

from sksmooth.samples import encode_values, read_samples
from sksmooth.trees import Forest, GrownForest, Growth, Tree, grow
from sksmooth.wavelets import decompose

# Sums of some hundred terms of order one: rounding stays far below this.
CLOSE = dict(rtol=1e-10, atol=1e-12)

# With p < 2 the sweep takes roots of squared errors that are zero up to rounding, 1e-16
# of the targets' square: 1e-8 of the targets.
CURVE_TOLERANCE = {1.0: 1e-7, 1.5: 1e-9, 2.0: 1e-11, 3.0: 1e-11}


class Case:
    """A bootstrap forest with uneven bags, other samples, and both decompositions."""

    def __init__(self, *, p=2.0, n_outputs=2, measure="samples", seed=0, **options):
        rng = np.random.RandomState(seed)
        self.X = rng.uniform(size=(36, 3))
        self.values = np.column_stack(
            [np.sin(4 * self.X[:, 0]), self.X[:, 1] ** 2, rng.standard_normal(36)]
        )[:, :n_outputs]
        self.new_X = rng.uniform(size=(30, 3))
        self.new_values = rng.standard_normal((30, n_outputs))
        self.new_weights = rng.uniform(0.2, 3.0, size=30)
        self.samples = read_samples(self.X, self.values.squeeze(), encode=encode_values)
        forest = RandomForestRegressor(3, **{"max_depth": 3, **options}, random_state=seed)
        grown = grow(self.samples, Growth(forest=forest))
        self.grown = replace(grown, bags=grown.bags * rng.uniform(0.5, 2.0, size=36))
        self.trees = self.grown.forest.trees
        self.new_leaves = self.grown.forest.apply(self.new_X)
        self.decomposition = decompose(self.grown, self.samples, p=p, measure=measure)
        self.reference = reference.decompose(
            self.trees, self.X, self.values, self.grown.bags, p=p, measure=measure
        )


def grown_on(forest, samples, bags=None):
    """Given trees over these samples, all of them in every tree by default."""
    if bags is None:
        bags = np.tile(samples.weights, (len(forest.trees), 1))
    return GrownForest(forest, bags, forest.apply(samples.X), None, samples.units)


# x = 0 ... 7. The root (mean 44/8 = 5.5) is cut at 3.5 into nodes 1 (mean 8/4 = 2) and
# 2 (mean 9); node 1 is cut at 2.5 into nodes 3 (mean 1, three samples) and 4 (mean 5).
HAND_X = np.arange(8.0)[:, None]
HAND_Y = np.array([1.0, 1.0, 1.0, 5.0, 9.0, 9.0, 9.0, 9.0])
HAND_TREE = Tree(
    left=np.array([1, 3, -1, -1, -1]),
    right=np.array([2, 4, -1, -1, -1]),
    feature=np.array([0, 0, -1, -1, -1]),
    threshold=np.array([3.5, 2.5, 0.0, 0.0, 0.0]),
)
HAND_FOREST = Forest((HAND_TREE,), 1)
