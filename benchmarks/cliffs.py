"""Activity cliffs of MoleculeACE: ``sample_roughness`` against SALI, neighbours, cleanlab.

    python benchmarks/cliffs.py [--targets CHEMBL1862_Ki ...]

A molecule is a cliff if one that is highly similar (in its substructures, its scaffold or
its SMILES) is more than ten times as active, or less than a tenth: the column ``cliff_mol``
of the 30 targets of MoleculeACE (van Tilborg, Alenicheva and Grisoni, 2022), which ships in
its wheel (``pip install --no-deps MoleculeACE``). All methods rank the molecules of a
target by ECFP4 of 1,024 bits and the negative logarithm of the activity alone:

- ``cliff``, ``jump`` and ``roughness`` of ``sample_roughness``, with an estimator of 100
  trees of few features (on which ``cliff`` does not depend);
- the difference to the nearest neighbour by Tanimoto;
- SALI, the difference over 1 less the Tanimoto similarity (Guha and Van Drie, 2008; at
  least 0.001), the largest or the mean one;
- ``cliff`` with the Tanimoto similarity in place of the proximity in trees: the largest
  product of its cube (chosen on the same targets) and the difference;
- cleanlab's scores of the out-of-bag predictions of a random forest of 100 trees.

Measured are the average precision, and seconds of processor time. ``cliff`` was chosen on
four targets, which are reported apart. The strata are molecules whose scaffold (Bemis and
Murcko) another molecule has or none, and whose nearest neighbour has a Tanimoto similarity
of 0.7 or more, or less; of targets that have ten cliffs and ten others there.
"""

import argparse
import time

import numpy as np
import pandas as pd
from _data import molecule_tables
from _results import write_results
from cleanlab.regression.rank import get_label_quality_scores
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles
from scipy.stats import wilcoxon
from skfp.fingerprints import ECFPFingerprint
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import average_precision_score

from sksmooth import BesovSmoothnessEstimator, sample_roughness

CHOSEN_ON = ("CHEMBL1862_Ki", "CHEMBL1871_Ki", "CHEMBL2034_Ki", "CHEMBL2047_EC50")
OURS = "cliff"
LEAST_DISTANCE, SIMILAR, FEWEST = 1e-3, 0.7, 10


def similarities(X):
    """Tanimoto similarity of all pairs, -1 to itself."""
    X = X.astype(np.float32)
    common, size = X @ X.T, X.sum(axis=1)
    similarity = common / np.maximum(size[:, None] + size - common, 1)
    np.fill_diagonal(similarity, -1)
    return similarity


def rankings(X, y):
    """Suspicion of every molecule and seconds, method by method."""
    start = time.process_time()
    estimator = BesovSmoothnessEstimator(
        100, max_features="sqrt", max_samples=0.5, random_state=0
    )
    frame = sample_roughness(X, y, estimator=estimator)
    seconds = time.process_time() - start
    yield OURS, frame.cliff, seconds
    yield "jump", frame.jump.abs(), seconds
    yield "roughness", frame.roughness, seconds

    start = time.process_time()
    similarity, difference = similarities(X), np.abs(y[:, None] - y)
    seconds = time.process_time() - start
    nearest = similarity.argmax(axis=1)
    yield "nearest neighbour", difference[np.arange(len(y)), nearest], seconds
    sali = difference / np.maximum(1 - similarity, LEAST_DISTANCE)
    yield "SALI, largest", sali.max(axis=1), seconds
    yield "SALI, mean", sali.sum(axis=1) / (len(y) - 1), seconds
    cubed = np.maximum(similarity, 0) ** 3 * difference
    yield "Tanimoto cubed", cubed.max(axis=1), seconds

    start = time.process_time()
    forest = RandomForestRegressor(100, max_features=0.33, oob_score=True, random_state=0)
    predicted = forest.fit(X, y).oob_prediction_
    seconds = time.process_time() - start
    yield "residual, out of bag", np.abs(y - predicted), seconds
    for method in ("outre", "residual"):
        quality = get_label_quality_scores(y, predicted, method=method)
        yield f"cleanlab: {method}", -quality, seconds


def strata(table, X):
    """Which molecules belong to which part."""
    scaffold = table.smiles.map(MurckoScaffoldSmiles)
    shared = scaffold.duplicated(keep=False).to_numpy() & (scaffold != "").to_numpy()
    is_near = similarities(X).max(axis=1) >= SIMILAR
    return {
        "all": np.ones(len(X), dtype=bool),
        "scaffold of others": shared,
        "scaffold alone": ~shared,
        f"similarity {SIMILAR} or more": is_near,
        f"similarity below {SIMILAR}": ~is_near,
    }


def measure(name, path):
    """Average precision of every method and seconds, stratum by stratum."""
    table = pd.read_csv(path)
    y, is_cliff = table.y.to_numpy(), table.cliff_mol.to_numpy(bool)
    X = ECFPFingerprint(fp_size=1024).transform(table.smiles.tolist())
    parts = strata(table, X)
    for method, suspicion, seconds in rankings(X, y):
        for part, inside in parts.items():
            n_cliffs = is_cliff[inside].sum()
            if min(n_cliffs, inside.sum() - n_cliffs) < FEWEST:
                continue
            yield {
                "target": name,
                "part": part,
                "method": method,
                "precision": average_precision_score(
                    is_cliff[inside], np.asarray(suspicion)[inside]
                ),
                "base rate": n_cliffs / inside.sum(),
                "seconds": seconds,
                "molecules": len(X),
            }


def summary(rows):
    """Medians over the targets, and the targets in which ours is ahead or behind."""
    by_method = rows.pivot(index="target", columns="method", values="precision")
    ours, base = by_method[OURS], rows.groupby("target")["base rate"].first()
    figures = {"base rate": {"median": base.median(), "targets": len(base)}}
    for method in rows.method.unique():
        own, theirs = rows[rows.method == method], by_method[method]
        figures[method] = {
            "median": theirs.median(),
            "ratio to base rate": (theirs / base).median(),
            "seconds": own.seconds.sum(),
        }
        if method != OURS:
            figures[method] |= {
                "cliff is ahead": (ours > theirs).sum(),
                "cliff is behind": (ours < theirs).sum(),
                "p value": wilcoxon(ours, theirs).pvalue if len(ours) > 1 else np.nan,
            }
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="+")
    args = parser.parse_args()
    paths = molecule_tables()
    start, found = time.time(), []
    for name in args.targets or paths:
        found += measure(name, paths[name])
        print(f"{time.time() - start:5.0f} s  {name}", flush=True)
    rows = pd.DataFrame(found)
    reported = rows[~rows.target.isin(CHOSEN_ON)]
    figures = {
        part: summary(of_part) for part, of_part in reported.groupby("part", sort=False)
    }
    chosen = rows[rows.target.isin(CHOSEN_ON) & (rows.part == "all")]
    if len(chosen):
        figures["chosen on"] = summary(chosen)
    for name, of_target in rows[rows.part == "all"].groupby("target"):
        row = of_target.set_index("method").precision.to_dict()
        first = of_target.iloc[0]
        row |= {"base rate": first["base rate"], "molecules": first.molecules}
        figures.setdefault("targets", {})[name] = row
    setup = (
        "MoleculeACE's targets but the four that cliff was chosen on; ECFP4, 1,024 bits; "
        "one core; seconds of the processor, added up"
    )
    libraries = ["MoleculeACE", "rdkit", "scikit-fingerprints", "cleanlab"]
    write_results("cliffs", figures, setup=setup, libraries=libraries)


if __name__ == "__main__":
    main()
