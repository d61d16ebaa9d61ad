"""Networks with a decoder: its tokens are another text, with padding of its own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from layer_reading import Network, padded, read, rows_of, some_texts  # noqa: E402

from sksmooth import LayerFeatureTransformer, compare_layers  # noqa: E402

nn = torch.nn
SOURCES = some_texts(10)
TARGETS = [np.r_[2, text[::-1][:5], 7] for text in some_texts(12)[2:]]
POOLINGS = ["mean", "max", "cls", "last"]


def make_t5(kind="T5Model"):
    torch.manual_seed(0)
    sizes = dict(vocab_size=50, d_model=16, d_kv=8, d_ff=20, num_layers=2, num_heads=2)
    tokens = dict(pad_token_id=0, decoder_start_token_id=0, eos_token_id=1)
    return getattr(transformers, kind)(transformers.T5Config(**sizes, **tokens))


def make_bart(kind="BartModel"):
    torch.manual_seed(0)
    sizes = dict(vocab_size=50, d_model=16, max_position_embeddings=40)
    for part in ("encoder", "decoder"):
        sizes |= {f"{part}_layers": 1, f"{part}_attention_heads": 2, f"{part}_ffn_dim": 20}
    tokens = dict(pad_token_id=0, bos_token_id=2, eos_token_id=1, decoder_start_token_id=1)
    config = transformers.BartConfig(**sizes, **tokens, forced_eos_token_id=1)
    return getattr(transformers, kind)(config)


def make_pair():
    torch.manual_seed(0)
    sizes = dict(vocab_size=50, intermediate_size=20, num_hidden_layers=1)
    sizes |= dict(num_attention_heads=2, max_position_embeddings=40)
    encoder = transformers.BertConfig(hidden_size=24, **sizes)
    decoder = transformers.BertConfig(
        hidden_size=16, is_decoder=True, add_cross_attention=True, **sizes
    )
    return transformers.EncoderDecoderModel(
        transformers.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    )


LAYERS = {
    make_t5: [
        "encoder",
        "encoder.block.1.layer.1.DenseReluDense.wi",
        "decoder.block.0.layer.0.SelfAttention.k",
        "decoder.block.0.layer.1.EncDecAttention.q",
        "decoder.block.0.layer.1.EncDecAttention.k",
        "decoder.block.1.layer.1.EncDecAttention.v",
        "decoder.block.1.layer.1",
        "decoder.block.1.layer.2.DenseReluDense.wo",
        "decoder",
        "output",
    ],
    make_bart: [
        "encoder.layers.0.fc1",
        "encoder",
        "decoder.layers.0.self_attn.v_proj",
        "decoder.layers.0.encoder_attn.k_proj",
        "decoder.layers.0.encoder_attn.q_proj",
        "decoder.layers.0.fc2",
        "decoder",
        "output",
    ],
    make_pair: [
        "encoder.encoder",
        "enc_to_dec_proj",
        "decoder.bert.encoder.layer.0.crossattention.self.key",
        "decoder.bert.encoder.layer.0.output",
        "decoder.cls.predictions.decoder",
        "output",
    ],
}


def both(sources, targets, n_source, n_target, *, mask=True):
    """The inputs of an encoder and a decoder, padded to these lengths."""
    X = padded(sources, n_source)
    decoded = padded(targets, n_target)
    X["decoder_input_ids"] = decoded["input_ids"]
    if mask:
        X["decoder_attention_mask"] = decoded["attention_mask"]
    return X


def alone(network, make_inputs, layer, pooling, **options):
    """The features of each text in a pass of its own, without any padding."""
    return np.vstack(
        [
            rows_of(network, make_inputs(source, target), layer, pooling=pooling, **options)
            for source, target in zip(SOURCES, TARGETS, strict=True)
        ]
    )


def one(source, target):
    return {"input_ids": source[None], "decoder_input_ids": target[None]}


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    ("make", "layer"), [(make, layer) for make in LAYERS for layer in LAYERS[make]]
)
def test_every_layer_is_pooled_by_the_mask_of_its_tokens(make, layer, pooling):
    network = make()
    expected = alone(network, one, layer, pooling)
    # Also where both texts have equally many tokens, so that shapes tell nothing.
    for lengths, size in (((9, 11), 256), ((11, 9), 3), ((10, 10), 4)):
        for mask in (True, make is make_pair):  # the pair's decoder does not know padding
            X = both(SOURCES, TARGETS, *lengths, mask=mask)
            features = rows_of(network, X, layer, pooling=pooling, batch_size=size)
            assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["encoder_last_hidden_state", "last_hidden_state"])
def test_each_state_of_the_output_has_its_own_mask(name):
    network = make_bart()
    expected = alone(network, one, "output", "mean", output=name)
    X = both(SOURCES, TARGETS, 10, 10)
    features = rows_of(network, X, "output", pooling="mean", output=name)
    assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("make", [make_t5, make_bart])
@pytest.mark.parametrize("ignored", [-100, 0])
def test_tokens_that_the_model_makes_of_labels(make, ignored):
    prefix = {make_t5: "T5", make_bart: "Bart"}[make]
    network = make(f"{prefix}ForConditionalGeneration")
    X = padded(SOURCES, 12)
    decoded = padded(TARGETS, 12)
    X["labels"] = np.where(decoded["attention_mask"] == 1, decoded["input_ids"], ignored)
    part = "" if make is make_t5 else "model."
    for layer in ("output", f"{part}decoder", f"{part}encoder", "lm_head"):
        expected = alone(
            network,
            lambda source, target: {"input_ids": source[None], "labels": target[None]},
            *(layer, "mean"),
        )
        features = rows_of(network, X, layer, pooling="mean", batch_size=4)
        assert_allclose(features, expected, atol=1e-5)


def test_tokens_that_the_model_makes_of_its_input():
    network = make_bart()
    for layer in ("encoder", "decoder.layers.0.fc1", "output"):
        expected = alone(
            network, lambda source, _: {"input_ids": source[None]}, layer, "mean"
        )
        features = rows_of(network, padded(SOURCES, 12), layer, pooling="mean")
        assert_allclose(features, expected, atol=1e-5)
    left = padded(SOURCES, 12, "left")
    with pytest.raises(ValueError, match="pad on the right, or pass decoder_input_ids"):
        read(network, left, "output", pooling="mean")


def test_a_mask_that_fits_no_layer():
    network = make_bart()
    X = both(SOURCES, TARGETS, 9, 11)
    X["decoder_attention_mask"] = X["decoder_attention_mask"][:, :10]
    with pytest.raises(ValueError, match=r"shape \(10, 10\), but layer 'output' gives 11"):
        read(network, X, "output", pooling="mean", output=lambda out: out[0])


def test_a_decoder_of_another_name_is_refused():
    network = Network(
        lambda self, input_ids, decoder_attention_mask: self.embedding(input_ids),
        embedding=nn.Embedding(50, 4),
    )
    X = padded(SOURCES, 9)
    X = {"input_ids": X["input_ids"], "decoder_attention_mask": X["attention_mask"]}
    with pytest.raises(ValueError, match="no part of the network is called 'decoder'"):
        read(network, X, "embedding", pooling="mean")
    assert read(network, X, "embedding").shapes == [(9, 4)]


def test_score_and_table_use_both_masks():
    network, y = make_bart(), np.arange(40) % 2
    sources = [
        np.r_[5 + label, text] for label, text in zip(y, some_texts(40), strict=True)
    ]
    targets = [np.r_[9, text[:3]] for text in some_texts(40)]
    layer = LayerFeatureTransformer(network, "decoder", pooling="mean", random_state=0)
    X, wider = both(sources, targets, 9, 9), both(sources, targets, 12, 7)
    assert layer.fit(X).score(X, y) == pytest.approx(layer.score(wider, y), abs=1e-3)
    layers = ["encoder", "decoder", "output"]
    tables = [
        compare_layers(network, inputs, y, layers, pooling="mean", random_state=0)
        for inputs in (X, wider)
    ]
    assert list(tables[0]["n_features"]) == list(tables[1]["n_features"]) == [16] * 3


# --- tokens as rows -----------------------------------------------------------------


FEW = dict(random_state=0, tokens=True)


def test_labels_are_of_the_tokens_of_one_text():
    network = make_bart()
    X = both(SOURCES, TARGETS, 9, 11)
    y = X["decoder_input_ids"] % 2
    table = compare_layers(network, X, y, **FEW)
    assert all("decoder" in name for name in table["layer"])
    assert not any(".encoder_attn.k_proj" in name for name in table["layer"])
    # Whatever stands in the padding, and whatever its label is.
    X["decoder_input_ids"] = np.where(
        X["decoder_attention_mask"], X["decoder_input_ids"], 3
    )
    other = np.where(X["decoder_attention_mask"], y, 1)
    again = compare_layers(network, X, other, table["layer"], **FEW)
    assert list(again["n_features"]) == list(table["n_features"])
    y = X["input_ids"] % 2
    table = compare_layers(network, X, y, **FEW)
    assert not any(
        name.startswith("decoder") and not name.endswith(("k_proj", "v_proj"))
        for name in table["layer"]
    )


def test_which_tokens_are_labelled_is_told_or_asked():
    network = make_bart()
    X = both(SOURCES, TARGETS, 10, 10)
    y = X["decoder_input_ids"] % 2
    with pytest.raises(ValueError, match="name layers of one of them by layers="):
        compare_layers(network, X, y, **FEW)
    table = compare_layers(network, X, y, ["decoder", "output"], **FEW)
    expected = compare_layers(
        network, both(SOURCES, TARGETS, 9, 10), y, ["decoder", "output"], **FEW
    )
    assert list(table["held_out"]) == pytest.approx(list(expected["held_out"]), abs=0.1)
    marked = np.where(X["decoder_attention_mask"], y, -100)
    layers = compare_layers(network, X, marked, **FEW)["layer"]
    assert all("decoder" in name for name in layers)


def test_masks_of_a_loader_count_for_tokens():
    network = Network(
        lambda self, input_ids, attention_mask: self.mix(self.embedding(input_ids)),
        **dict(embedding=nn.Embedding(50, 6), mix=nn.Linear(6, 5)),
    )
    X = padded(some_texts(60), 9)
    y = np.where(X["attention_mask"], X["input_ids"] % 2, 1)
    items = [{key: value[i] for key, value in X.items()} for i in range(60)]
    loader = torch.utils.data.DataLoader(items, 7)
    layers = ["embedding", "mix"]
    expected = compare_layers(network, X, y, layers, **FEW)
    found = compare_layers(network, loader, y, layers, **FEW)
    assert list(found["held_out"]) == pytest.approx(list(expected["held_out"]), rel=0.1)
