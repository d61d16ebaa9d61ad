"""Molecules by scikit-fingerprints, in a Pipeline, with everything that measures."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksmooth import BesovSmoothnessEstimator, sample_roughness, smoothness_difference

fingerprints = pytest.importorskip("skfp.fingerprints")
pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

TAILS = ["", "O", "N", "Cl", "F", "C(=O)O", "C#N", "OC", "S", "C(F)(F)F"]
CORES = ["c1ccc({})cc1", "c1ccnc({})c1", "C1CCC({})CC1", "C1COCC({})N1"]
SMILES = [core.format("C" * n + tail if n + len(tail) else "C")
          for core in CORES for n in range(5) for tail in TAILS]  # fmt: skip
# Longer chains and rings of carbon raise it, polar ends lower it: a solubility of sorts.
Y = np.array([s.count("C") - 2.0 * s.count("O") - s.count("N") for s in SMILES])
Y = Y + 0.1 * np.random.RandomState(0).standard_normal(len(Y))


def small():
    return BesovSmoothnessEstimator(3, random_state=0)


def test_dense_and_sparse_fingerprints_have_the_same_numbers():
    for options in ({}, {"count": True}):
        of = {
            is_sparse: make_pipeline(
                fingerprints.ECFPFingerprint(fp_size=512, sparse=is_sparse, **options),
                small(),
            ).fit(SMILES, Y)
            for is_sparse in (False, True)
        }
        assert sparse.issparse(of[True][0].transform(SMILES[:5]))
        assert of[True][-1].alpha_ == of[False][-1].alpha_
        assert of[True][-1].explained_ == of[False][-1].explained_ > 0.2
        assert of[True].score(SMILES, Y) == of[False].score(SMILES, Y)


def test_keys_and_frames():
    keys = fingerprints.MACCSFingerprint()
    fitted = make_pipeline(keys, small()).fit(pd.Series(SMILES), Y)[-1]
    assert fitted.n_features_in_ == 166
    assert 0.2 < fitted.explained_ <= 1


def test_descriptors_may_be_missing():
    descriptors = fingerprints.RDKit2DDescriptorsFingerprint()
    X = np.array(descriptors.transform(SMILES), dtype=float)
    complete = small().fit(X, Y).explained_
    X[::7, ::5] = np.nan
    assert complete > 0.5
    assert small().fit(X, Y).explained_ > 0.3


def test_the_radius_is_searched_as_any_parameter():
    pipeline = make_pipeline(fingerprints.ECFPFingerprint(fp_size=256), small())
    search = GridSearchCV(pipeline, {"ecfpfingerprint__radius": [0, 2]}, cv=3)
    search.fit(SMILES, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_fingerprints_are_compared_with_their_components():
    X = fingerprints.ECFPFingerprint(fp_size=256, count=True).transform(SMILES)
    difference = smoothness_difference(X, PCA(2).fit_transform(X), Y, random_state=0)
    assert difference.interval[0] <= difference.difference <= difference.interval[1]


def test_molecules_themselves_are_told_how_they_become_features():
    chem = pytest.importorskip("rdkit.Chem")
    molecules = [chem.MolFromSmiles(s) for s in SMILES]
    for X in (SMILES, molecules, pd.DataFrame({"mol": molecules})):
        with pytest.raises(ValueError, match="ECFPFingerprint"):
            small().fit(X, Y)


def test_a_cliff_is_found():
    """One molecule is a thousand times as active as others that are like it."""
    y = Y.copy()
    y[57] += 12
    X = fingerprints.ECFPFingerprint(fp_size=512).transform(SMILES)
    frame = sample_roughness(X, y, random_state=0)
    assert frame.cliff.idxmax() == 57 or frame.neighbour[frame.cliff.idxmax()] == 57
    assert frame.neighbour_jump[57] > 5
    core = SMILES[57][:4]
    assert SMILES[frame.neighbour[57]].startswith(core)
