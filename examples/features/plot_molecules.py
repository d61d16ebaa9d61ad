"""
========================================
Which fingerprint suits these molecules?
========================================

Molecules can be described by many fingerprints and descriptors, and an activity that is
smooth on one is rough on another. :func:`sksmooth.compare_representations` finds those on
which it is smoothest, without a choice of model. The molecules come with RDKit, the
fingerprints from scikit-fingerprints (``pip install rdkit scikit-fingerprints``).
"""

# %%
# The data are a series of 1,017 molecules with their activities, on a logarithmic scale.
# RDKit ships them as an example for another method.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from rdkit import RDConfig
from skfp.fingerprints import (
    AtomPairFingerprint,
    ECFPFingerprint,
    MACCSFingerprint,
    RDKit2DDescriptorsFingerprint,
)

from sksmooth import BesovSmoothnessEstimator, compare_representations, sample_roughness
from sksmooth.plotting import RepresentationSmoothnessDisplay

folder = Path(RDConfig.RDContribDir, "FreeWilson", "data")
smiles = pd.read_csv(folder / "CHEMBL2321810.smi", sep=r"\s+", names=["smiles", "Name"])
molecules = smiles.merge(pd.read_csv(folder / "CHEMBL2321810_act.csv"), on="Name")
texts, y = molecules["smiles"].tolist(), molecules["Act"].to_numpy()
print(f"{len(y)} molecules, activities from {y.min()} to {y.max()}")

# %%
# SMILES are text and must be turned into columns of numbers. Fingerprints learn nothing
# from the data, so we compute them in advance. The last one is a control: the bits of
# another molecule.

fingerprints = {
    "circular, bits": ECFPFingerprint(fp_size=1024),
    "circular, counts": ECFPFingerprint(fp_size=1024, count=True),
    "circular, 64 bits": ECFPFingerprint(fp_size=64),
    "atom pairs": AtomPairFingerprint(fp_size=1024),
    "keys": MACCSFingerprint(),
    "descriptors": RDKit2DDescriptorsFingerprint(),
}
representations = {name: f.transform(texts) for name, f in fingerprints.items()}
rng = np.random.default_rng(0)
representations["of another molecule"] = rng.permutation(representations["circular, bits"])

table = compare_representations(representations, y=y, random_state=0)
columns = ["representation", "n_features", "explained", "p_value", "tied_with_best"]
print(table.frame[columns].round(3).to_string(index=False))

# %%
# ``explained`` is the share of the variance of the activity that trees explain on molecules
# that they have not seen. All representations are measured on the same molecules, so
# differences are more certain than the intervals of single values suggest. Filled points
# cannot be told apart from the best.

figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
RepresentationSmoothnessDisplay.from_comparison(table, value="explained", ax=ax)
plt.show()

# %%
# How rough is the activity? ``roughness_`` is the average spread that is left while
# molecules are divided into more and more cells: 1 for noise. ``noise_`` is the share of
# the variance that no model of these columns explains, or an upper bound.

for name in (table.best_, "keys", "of another molecule"):
    fitted = BesovSmoothnessEstimator(random_state=0).fit(representations[name], y)
    print(
        f"{name:20s} roughness {fitted.roughness_:.2f}, explained {fitted.explained_:.2f}, "
        f"noise {'at most ' if fitted.noise_is_bound_ else ''}{fitted.noise_:.2f}"
    )

# %%
# Where is it rough? An activity cliff is a pair of similar molecules with very different
# activities.

frame = sample_roughness(representations[table.best_], y, random_state=0)
cliffs = frame["neighbour"].astype(int)[frame["cliff"].nlargest(6).index]
for pair in dict.fromkeys(tuple(sorted(pair)) for pair in cliffs.items()):
    print(*(f"{y[row]:.2f}  {texts[row]}" for row in pair), sep="\n", end="\n\n")
