"""Pooling in networks that have both maps and tokens, with the channels first or last."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")

from layer_reading import Network, read, rows_of  # noqa: E402

from sksmooth import SmoothnessMonitor, compare_layers  # noqa: E402
from sksmooth.exceptions import LayersLeftOutWarning  # noqa: E402

nn = torch.nn
RNG = np.random.RandomState(0)
IMAGES = RNG.rand(8, 3, 32, 32).astype(np.float32)


def make(model, **options):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = getattr(transformers, f"{model}Config")(**options)
    return getattr(transformers, f"{model}Model")(config)


STAGES = dict(hidden_sizes=[12, 20], depths=[1, 1], num_stages=2, patch_size=4)
SMALL = dict(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20
)
# By model: options, samples, and which of its layers of three axes and more have the
# features first: by their names.
MODELS = {
    "Swin": (
        dict(image_size=32, patch_size=2, embed_dim=12, depths=[1, 1], num_heads=[2, 2])
        | dict(window_size=4),
        IMAGES,
        ["pooler"],
    ),
    "ConvNext": (STAGES, IMAGES, ["embeddings", "downsampling", "stages.0", "stages.1"]),
    "ConvNextV2": (STAGES, IMAGES, ["embeddings", "downsampling", "stages.0", "stages.1"]),
    "MobileViT": (
        dict(image_size=32, hidden_sizes=[12, 16, 20], num_attention_heads=2, patch_size=2)
        | dict(neck_hidden_sizes=[8, 8, 12, 12, 16, 20, 24]),
        IMAGES,
        ["conv", "expand", "reduce", "fusion", "layer"],
    ),
    "PoolFormer": (
        dict(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1]),
        RNG.rand(8, 3, 64, 64).astype(np.float32),
        ["block"],
    ),
    "Mamba": (
        dict(vocab_size=50, hidden_size=12, state_size=4, num_hidden_layers=2),
        RNG.randint(50, size=(8, 9)),
        [],
    ),
    "Wav2Vec2": (
        SMALL
        | dict(conv_dim=(10, 14), conv_stride=(4, 2), conv_kernel=(8, 3))
        | dict(num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2),
        RNG.rand(8, 400).astype(np.float32),
        ["feature_extractor.conv_layers.0"],
    ),
    "ViT": (SMALL | dict(image_size=32, patch_size=8), IMAGES, []),
}
LAST = ("layers.0.layernorm", "layers.0.act", "layers.0.grn", "layers.0.pwconv1")


@pytest.mark.filterwarnings("error::sksmooth.exceptions.LayersLeftOutWarning")
@pytest.mark.parametrize("model", MODELS)
def test_layers_of_networks_of_both_kinds_are_pooled_over_their_places(model):
    options, X, first = MODELS[model]
    network = make(model, **options)
    full, pooled = read(network, X), read(network, X, pooling="mean")
    assert pooled.names == full.names
    assert pooled.shapes == full.shapes
    for name, shape, values, means in zip(
        full.names, full.shapes, full.arrays, pooled.arrays, strict=True
    ):
        if name == "input" or len(shape) == 1:
            assert_allclose(means, values)
            continue
        is_first = any(part in name for part in first)
        if model.startswith("ConvNext") and name.endswith(LAST):
            is_first = False
        axes = tuple(range(2, len(shape) + 1)) if is_first else tuple(range(1, len(shape)))
        expected = values.reshape(-1, *shape).mean(axes)
        assert_allclose(means, expected, atol=1e-5, err_msg=f"{name} {shape}")


def test_blocks_with_skip_connections_have_the_order_of_their_parts():
    network = make("ConvNext", **STAGES)
    for name in ("encoder.stages.0.layers.0", "encoder.stages.1", "encoder"):
        features = read(network, IMAGES, name)
        maps = features.arrays[0].reshape(-1, *features.shapes[0])
        means = rows_of(network, IMAGES, name, pooling="mean")
        assert_allclose(means, maps.mean((2, 3)), atol=1e-5)


class Turned(nn.Module):
    """Swaps axes by a weight of its own, so that no class says which is which."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 4))

    def forward(self, x):
        return torch.einsum("nchw,dc->nhdw", x, self.weight).relu()


@pytest.fixture
def strange():
    torch.manual_seed(0)
    network = Network(
        lambda self, x: self.head(
            self.tokens(self.act(self.turned(self.cut(x))).mean(2)).mean(1)
        ),
        **dict(cut=nn.Conv2d(1, 4, 3), turned=Turned(), act=nn.GELU()),
        **dict(tokens=nn.Linear(6, 5), head=nn.Linear(5, 2)),
        norm=nn.LayerNorm(3),
    )
    return network, np.random.RandomState(0).rand(40, 1, 8, 8).astype(np.float32)


def test_layers_that_cannot_be_told_are_left_out_with_one_warning(strange):
    network, X = strange
    with pytest.warns(LayersLeftOutWarning) as caught:
        table = compare_layers(
            network, X, np.arange(40) % 2, pooling="mean", random_state=0
        )
    assert list(table["layer"]) == ["input", "cut", "tokens", "head"]
    assert list(table["n_features"]) == [64, 4, 5, 2]
    (warning,) = (one for one in caught if one.category is LayersLeftOutWarning)
    message = str(warning.message)
    assert message.startswith("1 of 5 layers are left out")
    assert "'act' (6, 8, 6)" in message
    assert "t.mean((2, 3)) if the channels come first" in message
    assert warning.filename == __file__
    expected = compare_layers(
        network,
        X,
        np.arange(40) % 2,
        ["input", "cut", "tokens", "head"],
        pooling="mean",
        random_state=0,
    )
    assert list(table["alpha"]) == list(expected["alpha"])


def test_the_advice_measures_what_was_left_out(strange):
    network, X = strange
    with pytest.raises(
        ValueError, match=r"lambda t: t\.mean\(\(1, 2\)\) if they come last"
    ):
        rows_of(network, X, "act", pooling="mean")
    full = rows_of(network, X, "act").reshape(40, 6, 8, 6)
    for axes in ((2, 3), (1, 2)):
        means = rows_of(network, X, "act", output=lambda t, axes=axes: t.mean(axes))
        assert_allclose(means, full.mean(axes), atol=1e-6)


def test_advice_fits_the_number_of_axes():
    # Sums of a turned tensor and others: no class and no other tensor tells.
    network = Network(
        lambda self, x: self.act(self.cut(x).roll(1, 1).transpose(1, 2).contiguous()),
        **dict(cut=nn.Conv1d(3, 4, 2), act=nn.GELU(), norm=nn.LayerNorm(4)),
        tokens=nn.Embedding(2, 2),
    )
    X = np.random.RandomState(0).rand(9, 3, 8)
    with pytest.raises(ValueError, match=r"t\.mean\(2\) if .* t\.mean\(1\) if") as caught:
        rows_of(network, X, "act", pooling="mean")
    assert "(2, 3)" not in str(caught.value)
    network.cut, X = nn.Conv3d(1, 4, 2), np.random.RandomState(0).rand(9, 1, 4, 5, 6)
    with pytest.raises(
        ValueError, match=r"t\.mean\(\(2, 3, 4\)\).* t\.mean\(\(1, 2, 3\)\)"
    ):
        rows_of(network, X, "act", pooling="mean")


def test_layers_named_are_an_error_where_they_cannot_be_told(strange):
    network, X = strange
    with pytest.raises(ValueError, match="whether the channels come first cannot be told"):
        compare_layers(network, X, np.arange(40) % 2, ["cut", "act"], pooling="mean")


def test_poolings_of_tokens_leave_maps_out():
    network = make("ViT", **SMALL, image_size=32, patch_size=8)
    series = Network(
        lambda self, x: self.head(self.act(self.conv(x)).flatten(1)),
        **dict(conv=nn.Conv1d(2, 3, 2), act=nn.ReLU(), head=nn.Linear(24, 2)),
    )
    X, y = np.random.RandomState(0).rand(20, 2, 9), np.arange(20) % 2
    with pytest.warns(LayersLeftOutWarning, match=r"'act' \(3, 8\).*Use pooling=\"mean\""):
        table = compare_layers(series, X, y, pooling="cls", random_state=0)
    assert list(table["layer"]) == ["input", "head"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", LayersLeftOutWarning)
        assert len(read(network, IMAGES, pooling="cls").names) == 9


def test_layers_of_other_tokens_than_the_mask_counts_are_left_out():
    options, X, _ = MODELS["Wav2Vec2"]
    network, mask = make("Wav2Vec2", **options), np.ones(X.shape, dtype=int)
    mask[:, 300:] = 0
    samples, y = dict(input_values=X, attention_mask=mask), np.arange(8) % 2
    with pytest.warns(LayersLeftOutWarning, match=r"lambda t: t\.mean\(1\)"):
        table = compare_layers(network, samples, y, pooling="mean", random_state=0)
    assert len(table) == 2
    frames = read(network, samples, "feature_projection")
    means = rows_of(
        network,
        samples,
        "feature_projection",
        pooling="mean",
        output=lambda out: out[0].mean(1),
    )
    expected = frames.arrays[0].reshape(8, *frames.shapes[0]).mean(1)
    assert_allclose(means, expected, atol=1e-5)


def test_nothing_is_left_where_no_layer_can_be_pooled():
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.ReLU())
    with pytest.raises(ValueError, match="is for tokens"):
        read(network, np.ones((5, 1, 4, 4)), pooling="last")


def test_a_monitor_measures_what_can_be_pooled(strange):
    network, X = strange
    monitor = SmoothnessMonitor(network, X, np.arange(40) % 2, pooling="mean")
    with pytest.warns(LayersLeftOutWarning):
        monitor.record()
    assert list(monitor.to_frame()["layer"]) == ["input", "cut", "tokens", "head"]


def test_modules_that_turn_their_input_do_not_hand_its_order_on():
    class Permute(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1)

    network = nn.Sequential(  # as many places as channels, so that no shape tells
        nn.Conv2d(1, 6, 3), Permute(), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 6)
    )
    X = np.random.RandomState(0).rand(9, 1, 8, 8)
    for name in ("2", "3", "4"):
        full = rows_of(network, X, name).reshape(9, 6, 6, 6)
        means = rows_of(network, X, name, pooling="mean")
        assert_allclose(means, full.mean((1, 2)), atol=1e-6)
