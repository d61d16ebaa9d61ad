"""Networks of other libraries, small and of random weights; nothing is downloaded."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, list_layers

torch = pytest.importorskip("torch")

import layer_reading  # noqa: E402
from layer_reading import hooks_of, padded, read, rows_of, some_texts, train_by_lightning  # noqa: E402

nn = torch.nn


@pytest.fixture(scope="module")
def digits():
    return layer_reading.some_digits(200)


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10))


# skorch


def test_a_fitted_skorch_net(digits):
    skorch = pytest.importorskip("skorch")
    X, y = digits
    net = skorch.NeuralNetClassifier(
        small_network, criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0
    )
    for raw in (net, skorch.NeuralNet(nn.Linear, nn.MSELoss)):
        with pytest.raises(NotFittedError, match="fit or initialize"):
            LayerFeatureTransformer(raw, "0").fit(X)
    net.fit(X, y)
    layer = LayerFeatureTransformer(net, "3").fit(X)
    np.testing.assert_allclose(layer.transform(X), net.forward(X).numpy(), rtol=1e-5)
    np.testing.assert_allclose(layer.transform({"input": X}), layer.transform(X), rtol=1e-6)
    assert clone(layer).module is net
    again = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(again.transform(X), layer.transform(X))
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    search = GridSearchCV(
        LayerFeatureTransformer(net, estimator=estimator), {"layer": ["input", "1"]}, cv=2
    )
    assert np.isfinite(search.fit(X, y).best_score_)
    assert sum(hooks_of(net.module_)) == 0
    net.partial_fit(X, y)


def test_the_data_set_of_skorch(digits):
    dataset = pytest.importorskip("skorch.dataset")
    X, y = digits
    network = small_network()
    features = read(network, dataset.Dataset(X, y), ["1"])
    np.testing.assert_array_equal(features.y, y)
    np.testing.assert_array_equal(features.arrays[0], rows_of(network, X, 1))


# Lightning


@pytest.mark.parametrize("name", ["lightning", "pytorch_lightning"])
def test_a_lightning_module(name, digits, tmp_path):
    lightning = pytest.importorskip(name)
    X, y = digits
    options = dict(max_epochs=1, default_root_dir=tmp_path)
    module = train_by_lightning(lightning, small_network(), X, y, **options)
    layer = LayerFeatureTransformer(module.eval(), "net.3", random_state=0).fit(X)
    with torch.no_grad():
        reference = module(torch.tensor(X)).numpy()
    np.testing.assert_allclose(layer.transform(X), reference, rtol=1e-4, atol=1e-6)
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    assert layer.score(data) == pytest.approx(layer.score(X, y))
    assert read(module, X).names == ["input", "net.2", "net.3"]


# Transformers


TEXTS = some_texts(12)
SMALL = dict(vocab_size=50, hidden_size=16, intermediate_size=20, num_hidden_layers=2)


def make_bert():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    places = dict(num_attention_heads=2, max_position_embeddings=32)
    return transformers.BertModel(transformers.BertConfig(**SMALL, **places))


def make_gpt2():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = dict(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32)
    return transformers.GPT2Model(transformers.GPT2Config(**sizes))


@pytest.mark.parametrize("pooling", ["mean", "max", "cls", "last"])
@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (make_bert, "output"),
        (make_bert, "encoder.layer.0"),
        (make_bert, "encoder.layer.1.intermediate.dense"),
        (make_bert, "embeddings"),
        (make_gpt2, "output"),
        (make_gpt2, "h.0"),
        (make_gpt2, "h.1.mlp.c_fc"),
    ],
)
def test_padding_changes_nothing(make, layer, pooling):
    network = make()
    expected = rows_of(network, padded(TEXTS, 8), layer, pooling=pooling)
    for side, length, size in (("right", 13, 5), ("left", 8, 3), ("left", 12, 256)):
        X = padded(TEXTS, length, side)
        X["position_ids"] = np.maximum(X["attention_mask"].cumsum(1) - 1, 0)
        features = rows_of(network, X, layer, pooling=pooling, batch_size=size)
        np.testing.assert_allclose(features, expected, atol=1e-5)
    row = rows_of(network, {"input_ids": TEXTS[3][None]}, layer, pooling=pooling)
    np.testing.assert_allclose(row[0], expected[3], atol=1e-5)


def test_the_states_of_bert():
    network = make_bert()
    X = padded(TEXTS, 8)
    last = read(network, X, ["output", "encoder", "encoder.layer.1"])
    assert last.shapes == [(8, 16)] * 3
    np.testing.assert_array_equal(last.arrays[0], last.arrays[2])
    pooler = rows_of(network, X, "output", output="pooler_output")
    np.testing.assert_array_equal(pooler, rows_of(network, X, "pooler"))
    tokenised = pytest.importorskip("transformers").BatchEncoding(X, tensor_type="pt")
    again = rows_of(network, tokenised, "pooler")
    np.testing.assert_array_equal(pooler, again)
    one = rows_of(network, X, "output", output=lambda out: out[0][:, 0])
    cls = rows_of(network, X, "output", pooling="cls")
    np.testing.assert_array_equal(one, cls)
    followed = read(network, X, pooling="mean")
    assert {array.shape[1] for array in followed.arrays} == {16, 20}
    assert "input" not in followed.names
    listed = list_layers(network, X)
    assert (listed.n_calls[listed.layer == "pooler.dense"] == 1).all()
    with pytest.raises(ValueError, match=r"'encoder\.layer\.0"):
        read(network, X, "encoder.layer.O")
    assert sum(hooks_of(network)) == 0


def test_a_data_set_of_texts():
    network, X = make_bert(), padded(TEXTS, 8)
    labels = np.arange(len(TEXTS)) % 2
    pairs = [({key: value[i] for key, value in X.items()}, labels[i]) for i in range(12)]
    loader = torch.utils.data.DataLoader(pairs, 5)
    features = read(network, loader, "output", pooling="mean")
    reference = read(network, X, "output", pooling="mean")
    np.testing.assert_allclose(features.arrays[0], reference.arrays[0], atol=1e-6)
    np.testing.assert_array_equal(features.y, labels)


def test_logits_of_a_classifier_in_half_precision():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.DistilBertConfig(
        vocab_size=50, dim=16, hidden_dim=20, n_heads=2, n_layers=1
    )
    network = transformers.DistilBertForSequenceClassification(config)
    X = padded(TEXTS, 8)
    reference = rows_of(network, X, "output")
    assert reference.shape == (12, 2)
    features = rows_of(network.bfloat16(), X, "output")
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, reference, atol=0.05)


def test_a_vision_transformer(digits):
    transformers = pytest.importorskip("transformers")
    X, y = digits
    torch.manual_seed(0)
    image = dict(image_size=8, patch_size=4, num_channels=1, num_attention_heads=2)
    sizes = {name: size for name, size in SMALL.items() if name != "vocab_size"}
    config = transformers.ViTConfig(**sizes, **image)
    network = transformers.ViTForImageClassification(config)
    features = read(network, X, ["vit", "output"], input_shape=(1, 8, 8))
    assert features.shapes == [(5, 16), (2,)]
    tokens = features.arrays[0].reshape(-1, 5, 16)
    for pooling, reference in (("mean", tokens.mean(1)), ("cls", tokens[:, 0])):
        layer = LayerFeatureTransformer(
            network, "vit", pooling=pooling, input_shape=(1, 8, 8)
        )
        np.testing.assert_allclose(layer.fit_transform(X), reference, atol=1e-5)
    assert np.isfinite(layer.score(X, y))
    pixels = {"pixel_values": X.reshape(-1, 1, 8, 8)}
    again = read(network, pixels, ["input", "output"])
    np.testing.assert_array_equal(again.arrays[0], X)
    np.testing.assert_allclose(again.arrays[1], features.arrays[1], atol=1e-6)
    assert read(network, pixels).names[0] == "input"


# timm


def make_timm(name, **options):
    # Its torchvision may be built for another torch, which is no ImportError.
    try:
        import timm
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"timm cannot be imported: {error}")
    torch.manual_seed(0)
    return timm.create_model(name, pretrained=False, **options)


def test_a_residual_network_of_timm(digits):
    X = digits[0][:40]
    network = make_timm("resnet10t", in_chans=1, num_classes=10)
    options = dict(input_shape=(1, 8, 8))
    features = read(network, X, ["layer1", "layer4", "output"], **options)
    assert features.arrays[2].shape == (40, 10)
    pooled = read(network, X, ["layer4", "act1"], pooling="mean", **options)
    maps = features.arrays[1].reshape(40, *features.shapes[1])
    np.testing.assert_allclose(pooled.arrays[0], maps.mean((2, 3)), atol=1e-5)
    assert read(network, X, **options).names[-1] == "fc"
    followed = read(network, X, pooling="mean", **options)
    assert len(followed.names) == len(set(followed.names)) > 10


def test_maps_of_timm_whose_channels_come_last(digits):
    network = make_timm("convnext_atto", in_chans=1, num_classes=3)
    X = np.random.RandomState(0).rand(3, 1, 32, 32)
    for name, axes in (
        ("stages.0", (2, 3)),
        ("stages.0.blocks.0.conv_dw", (2, 3)),
        ("stages.0.blocks.0.norm", (1, 2)),
        ("stages.0.blocks.0.mlp.act", (1, 2)),
        ("stages.0.blocks.0.mlp.fc2", (1, 2)),
    ):
        full = read(network, X, name)
        maps = full.arrays[0].reshape(-1, *full.shapes[0])
        means = rows_of(network, X, name, pooling="mean")
        np.testing.assert_allclose(means, maps.mean(axes), atol=1e-5)
    features = read(network, X, "stages.0", output=lambda t: t.mean((2, 3)))
    assert features.arrays[0].shape == (3, 40)
