"""What is read of a layer that gives no matrix: which of its tensors, and how pooled."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

torch = pytest.importorskip("torch")

from layer_reading import Digits, Network, padded, read, rows_of, some_digits, some_texts  # noqa: E402

nn = torch.nn


def test_output_selects_of_a_recurrent_layer():
    X = np.random.RandomState(0).rand(11, 5, 3).astype(np.float32)
    network = Network(
        lambda self, x: self.lstm(x.transpose(0, 1))[1][0][-1],
        lstm=nn.LSTM(3, 4, num_layers=2),
    )
    samples_first = nn.LSTM(3, 4, num_layers=2, batch_first=True)
    samples_first.load_state_dict(network.lstm.state_dict())
    with torch.no_grad():
        sequence, (h, _) = samples_first(torch.tensor(X))
    for lstm, name in ((network, "lstm"), (samples_first, "output")):
        for options, expected in (
            ({}, sequence),
            (dict(output=1), h.transpose(0, 1)),
            (dict(pooling="last"), h[-1]),
        ):
            features = rows_of(lstm, X, name, **options)
            assert_allclose(features, expected.flatten(1), atol=1e-6)


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_gives_a_tuple(batch_first):
    def run(self, x):
        x = x if batch_first else x.transpose(0, 1)
        return self.attention(x, x, x)[0].sum()

    torch.manual_seed(0)
    attention = nn.MultiheadAttention(4, 2, batch_first=batch_first)
    network, X = Network(run, attention=attention), np.random.RandomState(0).rand(6, 5, 4)
    features = read(network, X, "attention", pooling="mean", batch_size=4)
    assert features.shapes == [(5, 4)]
    weights = read(network, X, "attention", output=1)
    assert weights.shapes == [(5, 5)]
    assert_allclose(weights.arrays[0].reshape(6, 5, 5).sum(2), 1, rtol=1e-5)
    assert read(network, X).names == ["input", "attention"]


SELECTED = {
    "tuple": (lambda t: (t, 2 * t), None, lambda t: t),
    "index": (lambda t: (t, 2 * t), 1, lambda t: 2 * t),
    "list": (lambda t: [t, 2 * t], -1, lambda t: 2 * t),
    "nested": (lambda t: ((2 * t, t), None), None, lambda t: 2 * t),
    "last_hidden_state": (
        lambda t: {"last_hidden_state": 3 * t, "a": t},
        None,
        lambda t: 3 * t,
    ),
    "logits": (lambda t: {"loss": t.sum(), "logits": 3 * t}, None, lambda t: 3 * t),
    "only": (lambda t: {"a": None, "b": 3 * t, "c": "text"}, None, lambda t: 3 * t),
    "key": (lambda t: {"a": t, "b": 3 * t}, "b", lambda t: 3 * t),
    "place": (lambda t: {"a": t, "b": 3 * t}, 1, lambda t: 3 * t),
    "function": (
        lambda t: {"a": t, "b": t},
        lambda out: out["a"] + out["b"],
        lambda t: 2 * t,
    ),
    "tensor": (lambda t: t, 0, lambda t: t),
    "one number": (lambda t: t.sum(1), None, lambda t: t.sum(1, keepdim=True)),
    "bfloat16": (lambda t: t.bfloat16(), None, lambda t: t.bfloat16().float()),
}


@pytest.mark.parametrize("case", SELECTED)
def test_output_selects(case):
    make, output, expected = SELECTED[case]
    torch.manual_seed(0)
    network = Network(lambda self, x: make(self.linear(x)), linear=nn.Linear(3, 4))
    X = np.random.RandomState(0).rand(6, 3)
    features = rows_of(network, X, output=output)
    assert features.dtype == np.float32
    with torch.no_grad():
        linear = network.linear(torch.tensor(X).float())
    assert_allclose(features, expected(linear), rtol=1e-6)


TEXTS = some_texts(13)
POOLED = {
    "mean": lambda t: t.mean(0),
    "max": lambda t: t.max(0),
    "cls": lambda t: t[0],
    "last": lambda t: t[-1],
}


@pytest.mark.parametrize("pooling", POOLED)
@pytest.mark.parametrize(("layer", "width"), [("output", 5), ("mix", 5), ("embedding", 6)])
def test_padding_changes_nothing(pooling, layer, width):
    network = Network(  # of tokens none of which sees the others
        lambda self, input_ids, attention_mask=None: torch.tanh(
            self.mix(self.embedding(input_ids))
        ),
        **dict(embedding=nn.Embedding(50, 6), mix=nn.Linear(6, 5)),
    )
    alone = [rows_of(network, text[None], layer).reshape(-1, width) for text in TEXTS]
    expected = np.stack([POOLED[pooling](tokens) for tokens in alone])
    for length, side, size in ((9, "right", 256), (9, "left", 4), (15, "right", 1)):
        X = padded(TEXTS, length, side)
        features = rows_of(network, X, layer, pooling=pooling, batch_size=size)
        assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not hasattr(torch.backends, "mha"), reason="older torch")
def test_a_transformer_of_torch_without_its_fast_path():
    def run(self, input_ids, attention_mask):
        x = self.embedding(input_ids)
        return self.encoder(x, src_key_padding_mask=attention_mask == 0)

    layers = ["encoder.layers.0.linear1", "encoder.layers.0", "output"]
    torch.manual_seed(0)
    encoder = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
    parts = dict(embedding=nn.Embedding(50, 6), encoder=nn.TransformerEncoder(encoder, 2))
    network = Network(run, **parts)
    reference = read(network, padded(TEXTS, 8), layers, pooling="mean")
    assert reference.shapes == [(8, 8), (8, 6), (8, 6)]
    wider = read(network, padded(TEXTS, 11), layers, pooling="mean", batch_size=4)
    for array, other in zip(wider.arrays, reference.arrays, strict=True):
        assert_allclose(array, other, atol=1e-5)
    assert torch.backends.mha.get_fastpath_enabled()


def test_pooling_tells_maps_from_tokens():
    torch.manual_seed(0)
    series = np.random.RandomState(0).rand(8, 2, 9)
    network = nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2))
    for name in ("0", "1"):
        full = rows_of(network, series, name).reshape(8, 3, 8)
        mean = rows_of(network, series, name, pooling="mean")
        assert_allclose(mean, full.mean(2), rtol=1e-5)
    network = nn.Sequential(nn.Linear(9, 3), nn.ReLU())
    for name in ("0", "1"):
        full = rows_of(network, series, name).reshape(8, 2, 3)
        assert_array_equal(rows_of(network, series, name, pooling="max"), full.max(1))
    network, images = Digits(), some_digits(20)[0].reshape(-1, 1, 8, 8)
    for name in ("conv", "relu", "drop"):
        features = read(network, images, name)
        full = features.arrays[0].reshape(-1, *features.shapes[0])
        mean = rows_of(network, images, name, pooling="mean")
        assert_allclose(mean, full.mean((2, 3)), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="for tokens"):
        read(network, images, "conv", pooling="cls")


def test_pooling_refuses_what_it_cannot_tell():
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.LayerNorm(7), nn.GELU())
    X = np.random.RandomState(0).rand(4, 1, 8, 8)
    assert rows_of(network, X, "0", pooling="mean").shape == (4, 3)
    with pytest.raises(ValueError, match="whether the channels come first cannot"):
        read(network, X, "2", pooling="mean")
    assert rows_of(network, X, "2", output=lambda t: t.mean((2, 3))).shape == (4, 3)


def test_patches_are_tokens():
    network = Network(
        lambda self, x: self.act(self.norm(self.cut(x).flatten(2).transpose(1, 2))),
        **dict(cut=nn.Conv2d(1, 6, 2, stride=2), norm=nn.LayerNorm(6), act=nn.GELU()),
    )
    X = np.random.RandomState(0).rand(4, 1, 8, 8)
    for name in ("norm", "act", "output"):
        features = read(network, X, name, pooling="mean")
        assert features.shapes == [(16, 6)]
        assert features.arrays[0].shape == (4, 6)


def test_a_sequence_whose_length_is_that_of_the_batch():
    sequences = np.random.RandomState(0).rand(9, 3, 6)
    network = Network(
        lambda self, x: self.head(self.lstm(x.transpose(0, 1))[0]).transpose(0, 1),
        **dict(lstm=nn.LSTM(6, 4), head=nn.Linear(4, 2)),
    )
    assert read(network, sequences, "lstm", batch_size=3).shapes == [(3, 4)]
    with pytest.raises(ValueError, match="takes time first"):
        read(network, sequences, "head", batch_size=3)
    with pytest.raises(ValueError, match="gives 3 rows for 9 samples"):
        read(network, sequences, "head")
    turned = rows_of(network, sequences, "head", output=lambda t: t.transpose(0, 1))
    assert_allclose(turned, rows_of(network, sequences), atol=1e-6)
