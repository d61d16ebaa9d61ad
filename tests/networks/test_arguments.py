"""Networks of several arguments, and samples in forms that are no array."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

torch = pytest.importorskip("torch")

from layer_reading import padded, read, rows_of, some_texts  # noqa: E402

from sksmooth import (  # noqa: E402
    BesovSmoothnessEstimator,
    LayerFeatureTransformer,
    SmoothnessMonitor,
    SmoothnessSearch,
    compare_layers,
    list_layers,
)

nn = torch.nn
RNG = np.random.RandomState(0)
A, B = RNG.rand(40, 4).astype(np.float32), RNG.rand(40, 6).astype(np.float32)
Y = (A[:, 0] > 0.5).astype(int)


class Two(nn.Module):
    """Takes two arguments."""

    def __init__(self, n_left=4, n_right=6):
        super().__init__()
        self.left, self.right = nn.Linear(n_left, 3), nn.Linear(n_right, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, a, b):
        return self.head(torch.tanh(self.left(a) - self.right(b)))


class OneTuple(Two):
    """Takes one tuple of two."""

    def forward(self, pair):
        a, b = pair
        return super().forward(a, b)


class OneDict(Two):
    """Takes one dict of two."""

    def forward(self, batch):
        return super().forward(batch["a"], batch["b"])


class AnyNumber(Two):
    def forward(self, *both):
        return super().forward(*both)


@pytest.fixture(params=[Two, OneTuple, AnyNumber])
def network(request):
    torch.manual_seed(0)
    return request.param()


def expected_of(network, a=A, b=B):
    with torch.no_grad():
        inner = torch.tanh(network.left(torch.tensor(a)) - network.right(torch.tensor(b)))
        return network.head(inner).numpy()


def forms(a, b):
    yield "tuple", (a, b)
    yield "list", [a, b]
    yield "tensors", (torch.tensor(a), torch.tensor(b))
    yield "mixed", [a, torch.tensor(b)]


def test_tuples_and_lists_are_several_arguments(network):
    expected = expected_of(network)
    for form, X in forms(A, B):
        layer = LayerFeatureTransformer(network, batch_size=7, random_state=0)
        features = layer.fit_transform(X, Y)
        assert_allclose(features, expected, atol=1e-6, err_msg=form)
        assert_allclose(layer.fit(X).transform(X), expected, atol=1e-6, err_msg=form)
        assert layer.score(X, Y) == layer.score(X, Y) > 0
        listed = list_layers(network, X)
        assert list(listed["layer"])[1:] == ["left", "right", "head", "output"]


def test_tables_and_monitors_take_several_arguments(network):
    tables = [
        compare_layers(network, X, Y, X_test=X, y_test=Y, random_state=0)
        for _, X in forms(A, B)
    ]
    assert list(tables[0]["layer"]) == ["left", "right", "head"]
    for table in tables[1:]:
        assert list(table["alpha"]) == list(tables[0]["alpha"])
        assert list(table["held_out"]) == list(tables[0]["held_out"])
    for _, X in forms(A, B):
        monitor = SmoothnessMonitor(network, X, Y, n_samples=30)
        monitor.record()
        assert list(monitor.to_frame()["layer"]) == ["left", "right", "head"]
        later = SmoothnessMonitor(None, X, Y, n_samples=30)  # as callbacks make it
        assert_array_equal(np.asarray(later.X[0]), np.asarray(monitor.X[0]))


def test_arguments_of_one_shape():
    same = RNG.rand(40, 4).astype(np.float32)
    for kind in (Two, OneTuple):
        torch.manual_seed(0)
        network = kind(4, 4)
        features = rows_of(network, (A, same))
        assert_allclose(features, expected_of(network, A, same), atol=1e-6)
    # Of numbers that are given one by one, as a recommender has them.
    network = Two()
    network.left, network.right = nn.Embedding(9, 3), nn.Embedding(9, 3)
    users, items = RNG.randint(9, size=(2, 40))
    for X in ((users, items), [torch.tensor(users), torch.tensor(items)]):
        assert_allclose(rows_of(network, X), expected_of(network, users, items), atol=1e-6)


def test_dicts_hold_tuples_where_an_argument_is_one():
    network = OneTuple()
    expected = expected_of(network)
    assert_allclose(rows_of(network, {"pair": (A, B)}, batch_size=9), expected, atol=1e-6)
    table = compare_layers(network, {"pair": (A, B)}, Y, random_state=0)
    again = compare_layers(network, (A, B), Y, random_state=0)
    assert list(table["alpha"]) == list(again["alpha"])
    with pytest.raises(ValueError, match=r"differ in their numbers of rows.*pair\[1\]"):
        read(network, {"pair": (A, B), "other": B[:39]})


def test_loaders_yield_several_arguments(network):
    items = [((a, b), y) for a, b, y in zip(A, B, Y, strict=True)]
    features = read(network, torch.utils.data.DataLoader(items, 7), "output")
    assert_allclose(features.arrays[0], expected_of(network), atol=1e-6)
    assert_array_equal(features.y, Y)

    class Items(torch.utils.data.Dataset):
        def __len__(self):
            return len(items)

        def __getitem__(self, row):
            return items[row]

    table = compare_layers(network, Items(), random_state=0)
    assert list(table["layer"]) == ["left", "right", "head"]
    monitor = SmoothnessMonitor(network, Items(), n_samples=30)
    monitor.record()
    assert len(monitor.to_frame()) == 3


def test_several_arguments_may_be_data_frames(network):
    frames = pd.DataFrame(A), pd.DataFrame(B)
    assert_array_equal(rows_of(network, frames), rows_of(network, (A, B)))


def test_a_network_may_take_one_dict():
    torch.manual_seed(0)
    network, X = OneDict(), dict(a=A, b=B)
    items = [dict(a=a, b=b, labels=label) for a, b, label in zip(A, B, Y, strict=True)]
    for form in (X, items, torch.utils.data.DataLoader(items, 7)):
        assert_allclose(rows_of(network, form), expected_of(network), atol=1e-6)
        table = compare_layers(network, form, Y, random_state=0)
        assert list(table["layer"]) == ["left", "right", "head"]
    assert list_layers(network, X)["n_calls"].eq(1).all()


def test_dicts_that_a_network_does_not_take_are_refused():
    for network in (nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), nn.Linear(4, 2)):
        with pytest.raises(TypeError, match=r"dict of \['a'\], which are not arguments"):
            rows_of(network, dict(a=A))


def test_arguments_of_unlike_lengths_are_named():
    with pytest.raises(ValueError, match=r"numbers of rows: {'a': 40, 'b': 30}"):
        rows_of(Two(), (A, B[:30]))


def test_lists_of_samples_are_samples():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    images = RNG.rand(30, 1, 8, 8).astype(np.float32)
    expected = rows_of(network, images)
    for X in (list(images), tuple(images), list(torch.tensor(images)), images.tolist()):
        assert_array_equal(rows_of(network, X), expected)
    rows = nn.Linear(4, 2)
    assert_array_equal(rows_of(rows, list(A)), rows_of(rows, A))
    assert_array_equal(rows_of(rows, A.tolist()), rows_of(rows, A))


# --- samples of several lengths, texts and graphs -------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda texts: [text.tolist() for text in texts],
        lambda texts: texts,
        lambda texts: [torch.tensor(text) for text in texts],
        lambda texts: tuple(texts),
        lambda texts: np.array(texts, dtype=object),
        pd.Series,
        lambda texts: {"input_ids": [text.tolist() for text in texts]},
        lambda texts: {"input_ids": [torch.tensor(text) for text in texts]},
        lambda texts: [{"input_ids": text} for text in texts],
    ],
)
def test_ragged_tokens_are_to_be_padded(make):
    network = nn.Embedding(50, 3)
    X = make(some_texts(10))
    for reader in (
        lambda: LayerFeatureTransformer(network).fit(X),
        lambda: compare_layers(network, X, np.arange(10) % 2),
        lambda: list_layers(network, X),
    ):
        with pytest.raises(ValueError, match="pad sequences to one length") as caught:
            reader()
        for word in ("pad_sequence", "padding=True", "attention_mask", "entries"):
            assert word in str(caught.value)


def test_ragged_items_of_a_data_set_are_to_be_padded():
    items = [torch.tensor(text) for text in some_texts(10)]
    with pytest.raises(RuntimeError) as caught:
        read(nn.Embedding(50, 3), torch.utils.data.DataLoader(items, 4))
    assert "collate_fn" in caught.value.__notes__[0]
    assert "pad sequences" in caught.value.__notes__[0]


def test_a_list_that_was_read_otherwise_than_meant_says_so():
    network, same = OneTuple(4, 4), RNG.rand(40, 4).astype(np.float32)
    layer = LayerFeatureTransformer(network)
    with pytest.raises(ValueError, match="if X are several arguments"):
        layer.fit([A, same], Y)


def test_masks_given_by_position_are_masks():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(50, 6)

        def forward(self, input_ids, attention_mask=None):
            return self.embedding(input_ids)

    network, X = Tokens(), padded(some_texts(20), 9)
    expected = rows_of(network, X, pooling="mean")
    for form in (tuple(X.values()), list(X.values())):
        assert_array_equal(rows_of(network, form, pooling="mean"), expected)


def test_texts_are_to_be_tokenised():
    texts = ["a text", "another"]
    for X in (texts, np.array(texts), pd.Series(texts), pd.Series(texts, dtype="category")):
        with pytest.raises(TypeError, match=r"list of texts.*tokenizer"):
            LayerFeatureTransformer(nn.Embedding(50, 3)).fit(X)
    with pytest.raises(ValueError, match=r"'sentence'.* leave it out"):
        read(nn.Embedding(50, 3), [{"sentence": "a text"}] * 4)


class Graph:
    """As torch_geometric, networkx and dgl have them."""

    def __init__(self):
        self.x, self.edge_index = torch.ones(3, 2), torch.zeros(2, 4)

    def keys(self):
        return ["x", "edge_index"]


def test_graphs_are_refused_with_what_is_supported():
    network = nn.Linear(2, 2)
    graphs = [Graph() for _ in range(6)]
    loader = torch.utils.data.DataLoader(graphs, 3, collate_fn=lambda items: items[0])
    for X in (graphs, tuple(graphs), np.array(graphs, dtype=object), loader):
        for reader in (
            lambda X=X: LayerFeatureTransformer(network).fit(X),
            lambda X=X: compare_layers(network, X, np.arange(6) % 2),
        ):
            with pytest.raises(TypeError, match=r"Graph\. Samples are an array") as caught:
                reader()
            assert "padded to the same number of nodes" in str(caught.value)


def test_a_data_set_of_graphs_is_refused_with_what_is_supported():
    with pytest.raises(TypeError) as caught:
        read(nn.Linear(2, 2), torch.utils.data.DataLoader([Graph() for _ in range(6)], 3))
    assert "Pass graphs as such arrays" in caught.value.__notes__[0]


def test_dense_graphs_are_measured():
    class Convolution(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix, self.head = nn.Linear(2, 5), nn.Linear(5, 2)

        def forward(self, nodes, adjacency):
            return self.head(torch.relu(adjacency @ self.mix(nodes)).mean(1))

    X = {"nodes": RNG.rand(30, 7, 2), "adjacency": RNG.randint(2, size=(30, 7, 7)) * 1.0}
    table = compare_layers(Convolution(), X, np.arange(30) % 2, random_state=0)
    assert list(table["layer"]) == ["mix", "head"]


# --- dicts in searches, and targets among them ---------------------------------------


class Classifier(nn.Module):
    """As those of Transformers: it computes a loss of the labels that it is given."""

    def __init__(self, n_classes=2):
        super().__init__()
        self.embedding, self.head = nn.Embedding(50, 6), nn.Linear(6, n_classes)

    def forward(self, input_ids, attention_mask=None, labels=None):
        logits = self.head(self.embedding(input_ids).mean(1))
        if labels is None:
            return logits
        loss = nn.functional.cross_entropy(logits, labels)
        return loss, logits


def tokenised(n_texts=60, n_classes=2):
    X = padded(some_texts(n_texts), 9)
    return X, X["input_ids"][:, 0] % n_classes


def test_dicts_in_searches_are_wrapped_or_lists_of_items():
    helper = pytest.importorskip("skorch.helper")
    torch.manual_seed(0)
    X, y = tokenised()
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    layer = LayerFeatureTransformer(Classifier(), pooling="mean", estimator=estimator)
    items = [{name: entry[row] for name, entry in X.items()} for row in range(len(y))]
    results = []
    for samples in (helper.SliceDict(**X), items):
        search = GridSearchCV(layer, {"layer": ["embedding", "head"]}, cv=3).fit(samples, y)
        results.append(search.cv_results_["mean_test_score"])
        assert np.isfinite(results[-1]).all()
        assert search.transform(samples).shape[0] == len(y)
        scores = cross_val_score(make_pipeline(layer, estimator), samples, y, cv=3)
        assert np.isfinite(scores).all()
    assert_allclose(results[0], results[1])
    search = SmoothnessSearch(layer, {"layer": ["embedding", "head"]}, cv=3, random_state=0)
    with pytest.raises(TypeError, match=r"SliceDict\(\*\*X\), or pass a list of dicts"):
        search.fit(X, y)
    assert np.isfinite(search.fit(helper.SliceDict(**X), y).best_score_)
    layer.fit(X)
    assert_allclose(layer.transform(helper.SliceDict(**X)), layer.transform(X), atol=1e-6)
    assert_allclose(layer.transform(items), layer.transform(X), atol=1e-6)


@pytest.mark.parametrize("name", ["labels", "label", "label_ids"])
def test_labels_among_the_items_are_targets(name):
    torch.manual_seed(0)
    network = Classifier()
    X, y = tokenised(n_classes=5)  # more classes than the head has, which a loss refuses
    expected = compare_layers(network, X, y, random_state=0)
    logits = rows_of(network, X)
    items = [{key: value[i] for key, value in X.items()} | {name: y[i]} for i in range(60)]
    loader = torch.utils.data.DataLoader(items, 7)
    for samples in ({**X, name: y}, items, loader):
        assert_allclose(rows_of(network, samples), logits, atol=1e-6)
        table = compare_layers(network, samples, random_state=0)
        assert list(table["layer"]) == list(expected["layer"])
        assert list(table["alpha"]) == pytest.approx(list(expected["alpha"]), rel=0.3)
        given = compare_layers(network, samples, y % 2, random_state=0)
        assert list(given["layer"]) == list(expected["layer"])
        layer = LayerFeatureTransformer(network, "embedding", random_state=0)
        score = layer.fit(X).score(X, y)
        assert layer.fit(samples).score(samples) == pytest.approx(score, rel=1e-6)
    same = compare_layers(network, {**X, name: y}, random_state=0)
    assert list(same["alpha"]) == list(expected["alpha"])
    for samples in ({**X, name: y}, items):
        monitor = SmoothnessMonitor(network, samples, n_samples=50)
        monitor.record()
        assert list(monitor.to_frame()["layer"]) == list(expected["layer"])


def test_labels_that_a_network_requires_are_given_to_it():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.mix = nn.Embedding(2, 4), nn.Linear(4, 3)

        def forward(self, x, labels):
            return self.mix(x + self.embedding(labels))

    network = Conditional()
    with torch.no_grad():
        expected = network(torch.tensor(A), torch.tensor(Y)).numpy()
    assert_allclose(rows_of(network, {"x": A, "labels": Y}), expected, atol=1e-6)
    table = compare_layers(network, {"x": A, "labels": Y}, random_state=0)
    assert list(table["layer"]) == ["embedding", "mix"]


def test_labels_of_a_classifier_of_transformers():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.DistilBertConfig(
        vocab_size=50, dim=16, hidden_dim=20, n_heads=2, n_layers=1
    )
    network = transformers.DistilBertForSequenceClassification(config)
    X, y = tokenised(n_classes=7)
    logits = rows_of(network, X)
    assert_allclose(rows_of(network, {**X, "labels": y}), logits, atol=1e-6)
    expected = compare_layers(network, X, y, ["output"], random_state=0)
    table = compare_layers(network, {**X, "labels": y}, None, ["output"], random_state=0)
    assert list(table["alpha"]) == list(expected["alpha"])
