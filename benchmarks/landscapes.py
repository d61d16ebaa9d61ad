"""Predict how well models will perform on molecules: measures of smoothness against errors.

    python benchmarks/landscapes.py [--parts targets] [--targets CHEMBL1862_Ki ...]

needs ``pip install rdkit scikit-fingerprints rogi fastcluster`` and ``pip install --no-deps
MoleculeACE``, whose wheel holds the data: activities of the ligands of 30 targets, as
negative logarithms of concentrations. At most ``--most`` molecules of a target, drawn at
random, are described in ten ways: bits and counts of circular fingerprints, atom pairs,
keys, descriptors, and what is made of them; one way is random, one has columns of noise.

The truth is the error of five regressors in five folds, drawn at random or by Bemis-Murcko
scaffolds: the root of the mean square, relative to the spread of y. The best model has the
least of the five errors. Every number is read once, on all molecules, without folds, and
correlated with the errors over the representations of a target; its sign is such that
smooth should go with accurate. Numbers that are errors are roots of mean squares, too,
which suits Pearson's correlation. Distances are Tanimoto's for fingerprints, and Euclid's
over standardised columns for the others. Ours are ``oob_score_`` (the held-out score, a
rate), ``alpha_``, ``explained_``, ``roughness_``, and as "spread left" the root of 1 -
``explained_``; the held-out score by scaffolds is that of ``compare_representations`` with
the scaffolds as groups. ROGI-XD is written anew after its published definition, as its
package wants Python 3.9 and torch 1.13; ROGI by the same code is compared with the package
``rogi``. The five folds of a random forest are one of the five regressors, not a rival.

Nothing was chosen on these data; the targets of ``LOOKED_AT`` were seen before the others.
Results of each target are kept in ``--cache``, so that a broken run goes on; delete it to
compute all anew. ``cost`` runs every number in a process of its own on 2,048 bits of the
molecules of all targets. There are 48,714; of 100,000 the others are children of two random
molecules, of which each bit has one parent or the other: only their cost is read. ``words``
asks the same of words of NK landscapes, described in nine ways.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _data import molecule_tables
from _landscape_numbers import (
    FOLDS,
    FOREST,
    MODELS,
    OUT_OF_BAG,
    SCORE,
    distances,
    errors,
    in_folds,
    left_out,
    normalised,
    our_numbers,
    ours,
    out_of_bag,
    process_seconds,
    rivals,
    rogi,
    rogi_xd,
)
from _results import write_results
from rdkit import Chem, RDLogger
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles
from rogi import RMODI, RoughnessIndex
from scipy.sparse import csr_array
from scipy.stats import wilcoxon
from skfp.fingerprints import (
    AtomPairFingerprint,
    ECFPFingerprint,
    MACCSFingerprint,
    RDKit2DDescriptorsFingerprint,
)
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold, KFold

from sksmooth import compare_representations
from sksmooth.datasets import make_nk_landscape

LOOKED_AT = ("CHEMBL1862_Ki", "CHEMBL1871_Ki", "CHEMBL2034_Ki", "CHEMBL2047_EC50")
FEW = 300  # molecules, on which numbers are read to rank representations of all of them
RANDOM = "random bits"
TESTED = (SCORE, "spread left", "roughness")  # against:
AGAINST = ("ROGI-XD", "1-NN", "5-NN", OUT_OF_BAG)
WORDS = [(k, seed) for k in (0, 1, 2, 3, 5) for seed in range(4)]  # of NK landscapes


# Molecules and their representations


def molecules(name, most=None):
    """SMILES and activities of a target, of at most so many molecules."""
    table = pd.read_csv(molecule_tables()[name])
    rows = np.random.default_rng(0).permutation(len(table))[:most]
    return table["smiles"].iloc[rows].tolist(), table["y"].to_numpy()[rows]


def standardised(X):
    """Columns of mean 0 and variance 1, whose long tails are drawn in by a logarithm."""
    X = np.nan_to_num(X.astype(float), posinf=np.nan, neginf=np.nan)
    X = np.sign(X) * np.log1p(np.abs(X))
    spread = X.std(axis=0)
    return ((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)


def represent(smiles):
    """All representations of the molecules, by name; fingerprints are small integers."""
    rng = np.random.default_rng(0)
    makers = {
        "bits": ECFPFingerprint(fp_size=1024),
        "counts": ECFPFingerprint(fp_size=1024, count=True),
        "64 bits": ECFPFingerprint(fp_size=64),
        "atom pairs": AtomPairFingerprint(fp_size=1024),
        "keys": MACCSFingerprint(),
    }
    found = {
        name: maker.transform(smiles).clip(max=255).astype(np.uint8)
        for name, maker in makers.items()
    }
    descriptors = standardised(RDKit2DDescriptorsFingerprint().transform(smiles))
    noise = rng.standard_normal((len(smiles), 200)).astype(np.float32)
    return found | {
        "PCA of bits": PCA(20, random_state=0).fit_transform(found["bits"].astype(float)),
        "descriptors": descriptors,
        "PCA of descriptors": PCA(20, random_state=0).fit_transform(descriptors),
        "descriptors and noise": np.hstack([descriptors, noise]),
        RANDOM: rng.permutation(found["bits"]),
    }


def scaffolds(smiles):
    """Number of the scaffold of each molecule."""
    found = [MurckoScaffoldSmiles(mol=Chem.MolFromSmiles(text)) for text in smiles]
    return pd.factorize(pd.Series(found))[0]


def split(kind, smiles, y):
    """Five folds, as lists of rows."""
    if kind == "scaffold":
        folds = GroupKFold(5, shuffle=True, random_state=0)
        return list(folds.split(y, groups=scaffolds(smiles)))
    return list(KFold(5, shuffle=True, random_state=0).split(y))


# Words of NK landscapes and their representations


def one_hot(columns):
    """A column for every value of every column, as bits."""
    return np.hstack([columns == value for value in np.unique(columns)]).astype(np.uint8)


def represent_words(words, n_letters=4):
    """All representations of words, by name; those of whole numbers are fingerprints."""
    rng = np.random.default_rng(0)
    letters = one_hot(words)
    two = words[:, :-1] * n_letters + words[:, 1:]
    three = two[:, :-1] * n_letters + words[:, 2:]
    noise = rng.standard_normal((len(words), 100))
    counts = {
        name: np.stack([(columns == value).sum(axis=1) for value in range(n)], axis=1)
        for name, columns, n in (
            ("letters", words, n_letters),
            ("pairs", two, n_letters**2),
        )
    }
    return {
        "letters": letters,
        "neighbouring pairs": one_hot(two),
        "neighbouring triples": one_hot(three),
        "half of the sites": one_hot(words[:, ::2]),
        "PCA of letters": PCA(20, random_state=0).fit_transform(letters.astype(float)),
        "letters and noise": np.hstack([letters, noise]).astype(np.float32),
        **{f"counts of {name}": n.astype(np.uint8) for name, n in counts.items()},
        RANDOM: rng.permutation(letters),
    }


# Results of a target, kept in files


def each(function):
    """A function of one representation, applied to all."""

    def of_all(samples, represented, y):
        return {way: function(samples, X, y) for way, X in represented.items()}

    return of_all


def few_numbers(smiles, X, y):
    """All numbers of few molecules, and the error of a forest in five folds of them."""
    X, y = X[:FEW], y[:FEW]
    folds = split("random", smiles, y)
    seconds, error = process_seconds(partial(in_folds, FOREST, X, y, folds))
    return our_numbers(X, y) | rivals(X, y) | {FOLDS: (-error, seconds)}


def compared(smiles, represented, y):
    """What ``compare_representations`` says, without and with scaffolds as groups."""
    found = {}
    for kind, groups in {"random": None, "scaffold": scaffolds(smiles)}.items():
        table = compare_representations(represented, y=y, groups=groups, random_state=0)
        found[kind] = {
            "best": table.best_,
            "tied": list(table.tied_),
            "held out": dict(zip(represented, table["held_out"], strict=True)),
        }
    return found


def errors_of(kind):
    return each(lambda samples, X, y: errors(X, y, split(kind, samples, y)))


STAGES = {
    "ours": each(lambda samples, X, y: our_numbers(X, y)),
    "rivals": each(lambda samples, X, y: rivals(X, y)),
    "random": errors_of("random"),
    "few": each(few_numbers),
    "compared": compared,
    "scaffold": errors_of("scaffold"),
}


@dataclass
class Target:
    """Samples, their representations, and results of stages, which are kept in files."""

    name: str
    samples: list[str] | np.ndarray
    y: np.ndarray
    represent: Callable
    folder: Path

    @property
    def represented(self):
        """Representations by name."""
        path = self.folder / f"{self.name}.npz"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, **self.represent(self.samples))
        with np.load(path) as arrays:
            return dict(arrays)

    def result(self, stage):
        """What a stage gives, computed unless there is its file."""
        path = self.folder / f"{self.name}-{stage}.json"
        if not path.exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = STAGES[stage](self.samples, self.represented, self.y)
            path.write_text(json.dumps(found), encoding="utf-8")
            print(self.name, stage, time.strftime("%X"), flush=True)
        return json.loads(path.read_text(encoding="utf-8"))

    def errors(self, kind="random"):
        """Errors of models, a row a representation."""
        return pd.DataFrame(self.result(kind)).T

    def numbers(self):
        """Values of all numbers, a row a representation."""
        table = taken(self.result("ours"), 0).join(taken(self.result("rivals"), 0))
        table[FOLDS] = -self.errors()["random forest"]
        return table

    def numbers_by_scaffolds(self):
        """The same, with the held-out score that has the scaffolds as groups."""
        score = pd.Series(self.result("compared")["scaffold"]["held out"])
        return self.numbers().assign(**{f"{SCORE}, by scaffolds": score})

    def few_numbers(self):
        """Values of all numbers of few molecules."""
        return taken(self.result("few"), 0)

    def seconds(self):
        """Processor's seconds of all numbers, a row a representation."""
        return taken(self.result("ours"), 1).join(taken(self.result("rivals"), 1))


def taken(results, place):
    """Values (place 0) or seconds (1) of numbers, a row a representation."""
    rows = {
        way: {name: pair[place] for name, pair in row.items()}
        for way, row in results.items()
    }
    return pd.DataFrame(rows).T


# Tables over all targets


def agreement(values, error):
    """How each number goes with the best model's error, over representations."""
    best, known = error.min(axis=1), values.index != RANDOM
    chosen = best[values.idxmax()].set_axis(values.columns)
    return pd.DataFrame(
        {
            "Pearson": values.corrwith(-best),
            "Pearson, mean of five": values.corrwith(-error.mean(axis=1)),
            "Pearson, without random": values[known].corrwith(-best[known]),
            "Spearman": values.corrwith(-best, method="spearman"),
            "Spearman, without random": values[known].corrwith(
                -best[known], method="spearman"
            ),
            "regret %": 100 * (chosen / best.min() - 1),
        }
    )


def over_targets(agreements):
    """Medians over targets, quartiles of Pearson's correlation, and the mean regret."""
    rows = pd.concat(agreements).groupby(level=1, sort=False)
    table = rows.median()
    table.insert(1, "Pearson, lower quartile", rows["Pearson"].quantile(0.25))
    table["regret %"] = rows["regret %"].mean()
    return table.T.to_dict()


def tests(agreements):
    """Paired tests over targets of some of our numbers against the others."""
    rows = {}
    for column in ("Pearson", "Pearson, without random", "Spearman"):
        table = pd.DataFrame({name: a[column] for name, a in agreements.items()}).T
        for one in TESTED:
            for rival in AGAINST:
                gain = table[one] - table[rival]
                rows[f"{column}: {one} against {rival}"] = {
                    "median difference": gain.median(),
                    "ahead on": int((gain > 0).sum()),
                    "of": len(gain),
                    "p": wilcoxon(gain).pvalue,
                }
    return rows


def models_table(found):
    """How often each model is the best, and how numbers go with its error alone."""
    rows = {}
    for model in (*MODELS, "5-NN"):
        known = [target.errors().drop(RANDOM) for target in found]
        agreeing = pd.DataFrame(
            [t.numbers().corrwith(-t.errors()[model]) for t in found]
        ).median()
        rows[model] = {
            "is the best, %": 100 * np.mean([e.idxmin(axis=1) == model for e in known]),
            "median error": np.median([e[model] for e in known]),
            **{f"Pearson, {number}": agreeing[number] for number in (*TESTED, *AGAINST)},
        }
    return rows


def representations_table(found, kind):
    """Mean errors and scores of each representation, and how often it is the best."""
    best = pd.DataFrame({t.name: t.errors(kind).min(axis=1) for t in found})
    scores = pd.DataFrame({t.name: t.numbers()[SCORE] for t in found}).mean(axis=1)
    return {
        way: {
            "mean error": best.loc[way].mean(),
            "best on": int((best.idxmin() == way).sum()),
            SCORE: scores[way],
        }
        for way in scores.index
    }


def targets_table(found):
    """Target by target: the least error, who has it, and how numbers go with errors."""
    rows = {}
    for target in found:
        error, goes = (
            target.errors("random"),
            agreement(target.numbers(), target.errors("random")),
        )
        rows[target.name] = {
            "molecules": len(target.y),
            "least error": error.min(axis=None),
            "representation": error.min(axis=1).idxmin(),
            "model": error.min().idxmin(),
            **{
                f"Pearson, {number}": goes["Pearson"][number]
                for number in (*TESTED, *AGAINST)
            },
        }
    return rows


def sets_table(found, kind):
    """How often the sets of those that are not told apart hold the truly best."""
    says = [target.result("compared")[kind] for target in found]
    rows = {}
    for model in ("best model", "random forest"):
        errors_of = [target.errors(kind) for target in found]
        truth = [
            (e.min(axis=1) if model == "best model" else e[model]).idxmin()
            for e in errors_of
        ]
        sets = [[said["best"], *said["tied"]] for said in says]
        held = [best in among for best, among in zip(truth, sets, strict=True)]
        first = [best == among[0] for best, among in zip(truth, sets, strict=True)]
        rows[f"by the {model}"] = {
            "in the set, %": 100 * np.mean(held),
            "first, %": 100 * np.mean(first),
            "mean size": np.mean([len(among) for among in sets]),
            "of": len(errors_of[0]),
        }
    return rows


def read_targets(args, stages):
    """The targets, of which all stages are there."""
    folder = Path(args.cache) / f"{args.most}"
    found = [
        Target(name, *molecules(name, args.most), represent, folder)
        for name in args.targets
    ]
    for stage in stages:
        for target in found:
            target.result(stage)
    return found


def by_targets(args):
    """All tables of molecules and random folds."""
    found = read_targets(args, ["ours", "rivals", "random", "few", "compared"])
    goes = {t.name: agreement(t.numbers(), t.errors()) for t in found}
    few = {t.name: agreement(t.few_numbers(), t.errors()) for t in found}
    unseen = {name: a for name, a in goes.items() if name not in LOOKED_AT}
    seconds = pd.concat([t.seconds() for t in found]).median()
    return {
        "random folds": over_targets(goes),
        **({"random folds, unseen targets": over_targets(unseen)} if unseen else {}),
        f"{FEW} molecules": over_targets(few),
        "tests, random folds": tests(goes),
        f"tests, {FEW} molecules": tests(few),
        "sets of the best": sets_table(found, "random"),
        "models": models_table(found),
        "representations": representations_table(found, "random"),
        "targets": targets_table(found),
        "seconds": {name: {"s": spent} for name, spent in seconds.items()},
        "package": package_table(found[0]),
    }


def by_scaffolds(args):
    """Tables of molecules whose folds keep scaffolds together."""
    found = read_targets(args, ["ours", "rivals", "random", "compared", "scaffold"])
    goes = {
        t.name: agreement(t.numbers_by_scaffolds(), t.errors("scaffold")) for t in found
    }
    return {
        "scaffold folds": over_targets(goes),
        "tests, scaffold folds": tests(goes),
        "sets of the best, scaffolds": sets_table(found, "scaffold"),
        "representations, scaffolds": representations_table(found, "scaffold"),
    }


def by_words(args):
    """The same numbers of words of NK landscapes, whose ruggedness is known."""
    found = []
    for k, seed in WORDS:
        words, y, _ = make_nk_landscape(
            args.most, 16, k, n_letters=4, encoding="letters", random_state=seed
        )
        folder = Path(args.cache) / f"{args.most}"
        found.append(Target(f"NK {k} {seed}", words, y, represent_words, folder))
    agreements = {t.name: agreement(t.numbers(), t.errors()) for t in found}
    letters = {
        f"K = {k}": {
            **pd.DataFrame([t.numbers().loc["letters"] for t in of_k]).mean(),
            "least error": np.mean([t.errors().min(axis=None) for t in of_k]),
        }
        for k, of_k in (
            (k, [t for t in found if t.name.startswith(f"NK {k} ")])
            for k in dict.fromkeys(k for k, _ in WORDS)
        )
    }
    return {
        "NK landscapes": over_targets(agreements),
        "tests, NK landscapes": tests(agreements),
        "NK landscapes, letters": letters,
    }


def package_table(target):
    """ROGI by the package and by the code here."""
    rows = {}
    for way, X in target.represented.items():
        gaps = distances(X)
        package = RoughnessIndex(
            target.y, X=normalised(gaps, X), metric="precomputed", verbose=False
        )
        rows[way] = {"rogi": package.compute_index(), "here": rogi(gaps, X, target.y)}
    return rows


# Cost

SIZES = (1_000, 3_000, 10_000, 100_000)
COSTLY = {
    "one fit of ours": (ours, SIZES),
    "one fit of ours, sparse": (lambda X, y: ours(csr_array(X), y), SIZES),
    OUT_OF_BAG: (out_of_bag, SIZES),
    FOLDS: (lambda X, y: in_folds(FOREST, X, y, 5), SIZES[:3]),
    "5-NN": (lambda X, y: left_out(distances(X), y, 5), SIZES[:3]),
    "ROGI-XD": (lambda X, y: rogi_xd(distances(X), X, y), SIZES[:3]),
    "RMODI": (lambda X, y: RMODI(distances(X), y), SIZES[:2]),
}


def many_molecules(path):
    """Write 2,048 bits and activities of all molecules, and of children, to a folder."""
    rng = np.random.default_rng(0)
    both = [molecules(name) for name in molecule_tables()]
    y = np.concatenate([y for _, y in both])
    maker = ECFPFingerprint(fp_size=2048)
    X = maker.transform([text for smiles, _ in both for text in smiles]).astype(np.uint8)
    order = rng.permutation(len(y))
    X, y = X[order], y[order]
    one, other = rng.integers(len(y), size=(2, SIZES[-1] - len(y)))
    from_one = rng.random((len(one), X.shape[1]), dtype=np.float32) < 0.5
    children = np.where(from_one, X[one], X[other])
    path.mkdir(parents=True)
    np.save(path / "X.npy", np.vstack([X, children]))
    np.save(path / "y.npy", np.append(y, y[one]))


def measure(name, n, path):
    """Print the processor's seconds of a number and the peak of memory, in MB."""
    X, y = (np.array(np.load(Path(path, f"{c}.npy"), mmap_mode="r")[:n]) for c in "Xy")
    number, _ = COSTLY[name]
    number(X[:200], y[:200])  # compiled and imported
    before = resident("VmRSS")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds, _ = process_seconds(partial(number, X, y))
    print(json.dumps({"s": seconds, "MB": resident("VmHWM") - before}))


def resident(what):
    """Memory of this process in MB; ``ru_maxrss`` may be that of its parent."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1e3


def measured(name, n, folder):
    """What another process measures, unless there is its file."""
    path = folder / f"{name}, {n}.json"
    if not path.exists():
        command = [sys.executable, __file__, "--measure", name, str(n), str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        path.write_text(done.stdout.splitlines()[-1], encoding="utf-8")
        print(name, n, path.read_text(encoding="utf-8"), flush=True)
    return json.loads(path.read_text(encoding="utf-8"))


def cost(args):
    """Seconds and memory of numbers, each in a process of its own."""
    folder = Path(args.cache) / "many"
    if not folder.exists():
        many_molecules(folder)
    rows = {name: {} for name in COSTLY}
    for n in SIZES:
        for name, (_, sizes) in COSTLY.items():
            if n in sizes:
                spent = measured(name, n, folder)
                rows[name] |= {f"{n:,}: {what}": value for what, value in spent.items()}
    return {"cost": rows}


PARTS = {
    "targets": by_targets,
    "scaffolds": by_scaffolds,
    "words": by_words,
    "cost": cost,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--targets", nargs="+", default=list(molecule_tables()))
    parser.add_argument("--most", type=int, default=600, help="molecules of a target")
    parser.add_argument("--cache", default=Path(tempfile.gettempdir()) / "landscapes")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    if args.measure:
        name, n, path = args.measure
        measure(name, int(n), path)
        return
    setup = f"{len(args.targets)} targets, at most {args.most} molecules of each"
    libraries = ["rdkit", "scikit-fingerprints", "rogi", "MoleculeACE", "pandas"]
    for i, part in enumerate(args.parts):
        append = i > 0 or len(args.parts) < len(PARTS)
        figures = PARTS[part](args)
        write_results(
            "landscapes", figures, setup=setup, libraries=libraries, append=append
        )


if __name__ == "__main__":
    main()
