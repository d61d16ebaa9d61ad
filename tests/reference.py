"""A slow and plain decomposition, to compare the package with.

It follows the definitions word by word: every node holds the list of its samples, every
mean is a mean over that list, and every approximation is a sum over single wavelets.
Nothing is imported from the package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import optimize


@dataclass
class Node:
    """A node, its box, and its wavelet."""

    number: int
    parent: Node | None
    depth: int
    feature: int  # of the split that made the node
    rows: list[int]
    low: np.ndarray
    high: np.ndarray
    count: float = 0.0
    mean: np.ndarray | None = None
    psi: np.ndarray | None = None
    norm: float = 0.0


def goes_left(tree, node: int, x: np.ndarray) -> bool:
    # scikit-learn compares float32 values with float64 thresholds.
    return bool(np.float32(x[tree.feature[node]]) <= tree.threshold[node])


def path(tree, x: np.ndarray) -> list[int]:
    """Nodes that hold the sample x, from the root to its leaf."""
    nodes = [0]
    while tree.left[nodes[-1]] >= 0:
        here = nodes[-1]
        nodes.append(int((tree.left if goes_left(tree, here, x) else tree.right)[here]))
    return nodes


def decompose_tree(
    tree, X, values, weights, p=2.0, measure="samples", low=None, high=None
) -> list[Node]:
    """All nodes of one tree, by number; ``low`` and ``high`` default to the data's."""
    low = X.min(axis=0) if low is None else low
    high = X.max(axis=0) if high is None else high
    nodes = {}

    def walk(number, parent, depth, feature, rows, lower, upper):
        node = Node(number, parent, depth, feature, rows, lower, upper)
        nodes[number] = node
        node.count = sum(weights[i] for i in rows)
        if node.count > 0:
            node.mean = sum(weights[i] * values[i] for i in rows) / node.count
        else:
            node.mean = parent.mean
        if parent is None:
            node.psi = np.zeros(values.shape[1])
        else:
            node.psi = node.mean - parent.mean
        if measure == "samples":
            mu = node.count / nodes[0].count
        else:
            mu = box_volume(lower, upper, low, high)
        node.norm = float(np.sqrt(np.sum(node.psi**2))) * mu ** (1 / p)
        if tree.left[number] < 0:
            return
        k, cut = int(tree.feature[number]), float(tree.threshold[number])
        inside = [i for i in rows if goes_left(tree, number, X[i])]
        outside = [i for i in rows if not goes_left(tree, number, X[i])]
        left_upper, right_lower = upper.copy(), lower.copy()
        left_upper[k] = min(upper[k], cut)
        right_lower[k] = max(lower[k], cut)
        walk(int(tree.left[number]), node, depth + 1, k, inside, lower, left_upper)
        walk(int(tree.right[number]), node, depth + 1, k, outside, right_lower, upper)

    walk(0, None, 0, -1, list(range(len(X))), low.astype(float), high.astype(float))
    return [nodes[number] for number in sorted(nodes)]


def box_volume(lower, upper, low, high) -> float:
    """Volume of a box in units of the data's box; constant columns do not count."""
    volume = 1.0
    for a, b, first, last in zip(lower, upper, low, high, strict=True):
        if last > first:
            volume *= max(min(b, last) - max(a, first), 0.0) / (last - first)
    return volume


def decompose(trees, X, values, bags, **options) -> list[list[Node]]:
    return [
        decompose_tree(tree, X, values, bag, **options)
        for tree, bag in zip(trees, bags, strict=True)
    ]


def ranked(forest: list[list[Node]], norms=None) -> list[tuple[int, int]]:
    """(tree, node) of all wavelets by falling norm, equal ones by their number.

    Rounding to six digits of the logarithm makes norms equal that are so in exact
    arithmetic.
    """

    def key(item):
        norm = norms[item] if norms else forest[item[0]][item[1]].norm
        return (-round(math.log(norm), 6) if norm > 0 else math.inf, item)

    items = [
        (j, node.number)
        for j, nodes in enumerate(forest)
        for node in nodes
        if norms or node.parent is not None
    ]
    return sorted(items, key=key)


def approximation(trees, forest, X, kept, unseen=None) -> np.ndarray:
    """Root means plus the kept wavelets, at every row of X, on the average of trees.

    ``unseen[j, i]`` says whether tree j is used at row i; rows without any stay zero.
    """
    values = np.zeros((len(X), len(forest[0][0].mean)))
    for i, x in enumerate(X):
        used = [j for j in range(len(trees)) if unseen is None or unseen[j, i]]
        for j in used:
            values[i] += forest[j][0].mean / len(used)
            for number in path(trees[j], x):
                if (j, number) in kept:
                    values[i] += forest[j][number].psi / len(used)
    return values


def mean_power(values, approximate, floor, weights, p) -> float:
    """Weighted mean of the p-th power of the distance of values to an approximation."""
    total = 0.0
    for i in range(len(values)):
        squared = float(np.sum((values[i] - approximate[i]) ** 2)) + floor[i]
        total += weights[i] * squared ** (p / 2)
    return total / float(np.sum(weights))


def error_powers(trees, forest, X, values, *, p=2.0, weights=None, floor=None, unseen=None):
    """Mean p-th powers of the error with M = 0, 1, ... wavelets of the pooled forest."""
    weights = np.ones(len(X)) if weights is None else weights
    floor = np.zeros(len(X)) if floor is None else floor
    order = ranked(forest)
    return np.array(
        [
            mean_power(
                values,
                approximation(trees, forest, X, set(order[:m]), unseen),
                floor,
                weights,
                p,
            )
            for m in range(len(order) + 1)
        ]
    )


def unseen_error_powers(trees, forest, X, values, unseen, *, p, weights, floor):
    """The same over the rows that have unseen trees, each approximated by them alone."""
    rows = [i for i in range(len(X)) if any(unseen[:, i])]
    return error_powers(
        trees,
        forest,
        X[rows],
        values[rows],
        p=p,
        weights=weights[rows],
        floor=floor[rows],
        unseen=unseen[:, rows],
    )


def group_error_sums(tree, nodes, X, values, weights, in_bag, group, kept, p):
    """Sums of weighted p-th powers of one tree's errors, group by group, and weights.

    Shapes (len(kept), n_groups, 2) and (n_groups, 2), in the bag and out of it.
    """
    n_groups = max(group) + 1
    order = ranked([nodes])
    sums, group_weights = np.zeros((len(kept), n_groups, 2)), np.zeros((n_groups, 2))
    for i in range(len(X)):
        group_weights[group[i], 0 if in_bag[i] else 1] += weights[i]
    for k, m in enumerate(kept):
        approximate = approximation([tree], [nodes], X, set(order[:m]))
        for i in range(len(X)):
            power = float(np.sum((values[i] - approximate[i]) ** 2)) ** (p / 2)
            sums[k, group[i], 0 if in_bag[i] else 1] += weights[i] * power
    return sums, group_weights


def indices_without_one_group(n_terms, powers, weights, in_bag, group, p) -> list[float]:
    """M-term rates at all numbers of terms, with one group of samples left out at a time.

    ``powers[j, m, i]`` is the p-th power of the error of tree j at sample i with
    ``n_terms[m]`` terms. In-bag and out-of-bag means are averaged, then all trees; if a
    tree has no sample out of the bag, only in-bag means are.
    """
    some_unseen = all(not all(bag) for bag in in_bag)
    indices = []
    for left_out in sorted(set(group)):
        errors = []
        for m in range(len(n_terms)):
            means = []
            for j, bag in enumerate(in_bag):
                for side in (True, False) if some_unseen else (True,):
                    rows = [
                        i
                        for i in range(len(group))
                        if group[i] != left_out and bool(bag[i]) == side
                    ]
                    total = sum(weights[i] * powers[j, m, i] for i in rows)
                    means.append(total / sum(weights[i] for i in rows))
            errors.append((sum(means) / len(means)) ** (1 / p))
        indices.append(-np.polyfit(np.log(n_terms), np.log(errors), 1)[0])
    return indices


def elisha_dekel_curve(trees, forest, X, values, weights, n_terms) -> list[float]:
    """Mean squared error with the m largest norms, root means among those ranked.

    ``values`` are one-hot vectors or numbers, not centred. A root's norm is that of its
    mean, and roots are part of every approximation whether or not they are ranked high.
    """
    norms = {
        (j, node.number): node.norm if node.parent else float(np.linalg.norm(node.mean))
        for j, nodes in enumerate(forest)
        for node in nodes
    }
    order = ranked(forest, norms)
    no_floor = np.zeros(len(X))
    return [
        mean_power(
            values,
            approximation(trees, forest, X, set(order[:m])),
            no_floor,
            weights,
            2.0,
        )
        for m in n_terms
    ]


def critical_taus(norms, n_trees: int) -> list[float]:
    """Largest tau of the grid at which the line of slope D(tau) is nearly vertical."""
    taus = [round(0.1 + 0.01 * i, 2) for i in range(190)]
    critical = []
    for epsilon in [0.1 + 0.03 * i for i in range(10)]:
        steep = []
        for tau in taus:
            inner = sum(norm**tau for norm in norms)
            outer = sum(norm ** (tau - 1) for norm in norms)
            slope = -(inner ** (1 / tau - 1)) * outer / (n_trees * tau)
            if abs(math.degrees(math.atan(slope)) + 90) <= epsilon:
                steep.append(tau)
        critical.append(max(steep))
    return critical


# ---------------------------------------------------------------- growth


@dataclass
class GrownNode:
    """A node of a grown tree: its samples, and the split of an inner one.

    ``above`` is NaN if all samples with a value go left.
    """

    rows: list[int]
    feature: int = -1
    below: float = 0.0
    above: float = 0.0
    missing_left: bool = False
    left: GrownNode | None = None
    right: GrownNode | None = None


def mixed(seed: int, number: int) -> int:
    """The number-th draw of the SplitMix64 generator."""
    mask = 2**64 - 1
    state = (seed + (number + 1) * 0x9E3779B97F4A7C15) & mask
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
    return state ^ (state >> 31)


def sides_of_splits(column, rows):
    """All ways to split samples by one feature: below, above, missing_left, left rows.

    Samples without a value go right, then, in a second round, left.
    """
    values = sorted({float(column[i]) for i in rows if not math.isnan(column[i])})
    missing = [i for i in rows if math.isnan(column[i])]
    for with_missing in (False, True) if missing else (False,):
        above = values[1:] + ([math.nan] if missing and not with_missing else [])
        for low, high in zip(values, above, strict=False):
            yield (
                low,
                high,
                with_missing,
                [i for i in rows if column[i] <= low or (with_missing and i in missing)],
            )


def split_score(values, weights, left, right) -> Fraction:
    """``|S_left|^2 / W_left + |S_right|^2 / W_right`` of whole numbers, exactly."""
    score = Fraction(0)
    for rows in (left, right):
        weight = sum(int(weights[i]) for i in rows)
        for k in range(values.shape[1]):
            score += Fraction(
                sum(int(weights[i] * values[i, k]) for i in rows) ** 2, weight
            )
    return score


def in_cyclic_order(features, seed) -> list[int]:
    first = mixed(seed, 0) % len(features)
    return features[first:] + features[:first]


def in_random_order(features, seed) -> list[int]:
    order = list(features)
    for k in range(len(order)):
        other = k + mixed(seed, 3 + k) % (len(order) - k)
        order[k], order[other] = order[other], order[k]
    return order


def grow_tree(
    X, values, weights, seed, *, max_depth=None, least=1, max_features=None
) -> GrownNode:
    """The tree of the best splits, the first of equal ones.

    ``values`` are whole numbers, one-hot vectors for classes, and ``weights`` too, so that
    scores are compared exactly. A feature varies if it has two values, or one and some
    missing. Where all features are tried, it is in a cyclic order that the seed decides,
    of those that vary in the node's parent, and for the root in itself. Where fewer than
    there are in X are tried, it is in a random order of those that vary in the node, until
    there are ``max_features`` and a split.
    """
    everywhere = list(range(len(X)))
    at_root = [k for k in range(X.shape[1]) if any(sides_of_splits(X[:, k], everywhere))]
    is_sampled = max_features is not None and max_features < X.shape[1]

    def grow(rows, depth, candidates, seed):
        node = GrownNode(rows)
        weight = sum(weights[i] for i in rows)
        is_pure = all(np.array_equal(values[i], values[rows[0]]) for i in rows)
        if depth == max_depth or weight < 2 * least or is_pure or not candidates:
            return node
        varying = [k for k in candidates if any(sides_of_splits(X[:, k], rows))]
        best, best_left, n_tried = None, None, 0
        if is_sampled:
            order = in_random_order(varying, seed)
        else:
            order = [k for k in in_cyclic_order(candidates, seed) if k in varying]
        for k in order:
            for below, above, missing_left, left in sides_of_splits(X[:, k], rows):
                right = [i for i in rows if i not in left]
                if min(sum(weights[i] for i in side) for side in (left, right)) < least:
                    continue
                score = split_score(values, weights, left, right)
                if best is None or score > best:
                    best, best_left = score, left
                    node.feature, node.missing_left = k, missing_left
                    node.below, node.above = below, above
            n_tried += 1
            if is_sampled and n_tried >= max_features and best is not None:
                break
        if best is None:
            return node
        right = [i for i in rows if i not in best_left]
        if not any(math.isnan(X[i, node.feature]) for i in rows):
            # If some come later, they go with most of the samples.
            node.missing_left = 2 * sum(weights[i] for i in best_left) > weight
        node.left = grow(best_left, depth + 1, varying, mixed(seed, 1))
        node.right = grow(right, depth + 1, varying, mixed(seed, 2))
        return node

    return grow(everywhere, 0, at_root, int(seed))


# ---------------------------------------------------------------- rates and floors


def whole_way_rate(relative_power, n_grown, n_samples, p) -> float:
    """Minus the log of the relative error over that of the number of cells.

    Errors of less than one sample count as that, and ten samples are a cell.
    """
    error = max(relative_power, 1 / n_samples) ** (1 / p)
    return max(-math.log(error) / math.log(max(n_grown / 10, 2)), 0.0)


def roughness(errors, n_trees, n_cells) -> float:
    """Area below the relative error over the log of the number of cells, from 0 to 1.

    Trapezoids between all numbers of terms, the last one cut off where the way ends.
    """
    left = [min(error / errors[0], 1.0) for error in errors]
    places = [math.log(1 + m / (2 * n_trees)) / math.log(n_cells) for m in range(len(left))]
    area = 0.0
    for m in range(len(left) - 1):
        width = places[m + 1] - places[m]
        used = min(max(1 - places[m], 0.0), width)
        end = left[m] + (left[m + 1] - left[m]) * used / width
        area += used * (left[m] + end) / 2
    return area + max(1 - places[-1], 0.0) * left[-1]


def power_law_over_a_floor(n_terms, power, least) -> tuple[float, float, float]:
    """Floor, fall from the first point, and exponent of ``F + C (M / M_0)^-b``.

    By least squares of relative errors, for every exponent of the grid in turn; those
    below ``least`` are relative to it.
    """
    weight = 1 / np.maximum(power, least)
    best = (math.inf, 0.0, 0.0, 0.0)
    for exponent in np.geomspace(0.15, 4.0, 24):
        columns = np.stack([np.ones(len(power)), (n_terms / n_terms[0]) ** -exponent])
        (floor, fall), misfit = optimize.nnls((columns * weight).T, power * weight)
        if misfit < best[0]:
            best = (misfit, floor, fall, float(exponent))
    return best[1:]
