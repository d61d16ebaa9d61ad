"""Smoothness during training: what is recorded, and that the training does not notice."""

import copy
import importlib
import pickle
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksmooth import BesovSmoothnessEstimator, SmoothnessMonitor, compare_layers
from sksmooth.networks.callbacks import TrainingCallback

torch = pytest.importorskip("torch")

from layer_reading import Network, hooks_of, some_digits, train_by_lightning  # noqa: E402

nn = torch.nn

needs_skorch = pytest.mark.skipif(find_spec("skorch") is None, reason="needs skorch")


def needs_lightning(test):
    for ignored in (
        "ignore:.*num_workers.*",
        "ignore:.*logging interval.*",
        "ignore::DeprecationWarning",
        "ignore::FutureWarning",
    ):
        test = pytest.mark.filterwarnings(ignored)(test)
    return pytest.mark.skipif(find_spec("lightning") is None, reason="no lightning")(test)


FAST = dict(n_samples=150, layers=["3"])


class Net(nn.Sequential):
    """Small, with all that training and evaluation do differently."""

    def __init__(self):
        super().__init__(
            *(nn.Linear(64, 24), nn.BatchNorm1d(24), nn.ReLU()),
            *(nn.Dropout(0.2), nn.Linear(24, 10)),
        )


@pytest.fixture(scope="module")
def digits():
    return some_digits(600)


def make_net():
    torch.manual_seed(0)
    return Net()


def train(module, X, y, after_step, n_steps=6):
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    X, y = torch.tensor(X), torch.tensor(y)
    for _ in range(n_steps):
        rows = torch.randint(len(X), (100,))
        loss = nn.functional.cross_entropy(module(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after_step(loss)


def values(frame):
    return frame.drop(columns="seconds")


def numpy_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002


# --- a plain loop ------------------------------------------------------------------


def test_records_before_and_during_training(digits):
    X, y = digits
    module = make_net()
    monitor = SmoothnessMonitor(module, X, y, every=3, n_samples=300)
    monitor.record()
    train(module, X, y, lambda loss: monitor.step(loss=loss, tag="train"), n_steps=7)
    frame = monitor.to_frame()
    assert list(frame.columns[:3]) == ["step", "layer", "type"]
    assert list(frame["step"].unique()) == [0, 3, 6]
    assert list(frame["layer"].unique()) == ["input", "3", "4"]
    assert frame["alpha"].notna().all()
    assert frame["loss"].isna().sum() == 3  # nothing was given before training
    assert frame["loss"].dropna().nunique() == 2
    assert frame["loss"].dtype == np.float64
    assert set(frame["tag"].dropna()) == {"train"}


def test_labels_become_smoother(digits):
    X, y = digits
    module = make_net()
    monitor = SmoothnessMonitor(module, X, y, every=40)
    monitor.record()
    train(module, X, y, lambda _: monitor.step(), n_steps=40)
    alpha = monitor.to_frame().pivot(index="layer", columns="step", values="alpha")
    assert alpha.loc["input", 0] == alpha.loc["input", 40]
    printed = " ".join(str(monitor).split())
    assert printed.startswith("2 steps with 3 layers, from step 0 to step 40. Step 40: Lay")
    assert "has changed most: its held-out score went from " in printed
    assert max(map(len, str(monitor).splitlines())) <= 80
    card = monitor._repr_html_()
    assert "explained, step 40" in card
    assert "Layer 4 is the smoothest" in card or "Layer 3 is the smoothest" in card
    assert "call record()" in str(SmoothnessMonitor(module, X, y))
    assert monitor.rise("3").rises
    assert str(monitor.rise(4)) == "Smoothness rises over the training (p < 0.001)."
    assert monitor.rise("3").names == ("step 0", "step 40")
    assert monitor.rise("input").p_value == 1  # which is always the same
    with pytest.raises(ValueError, match="'2' was not recorded"):
        monitor.rise("2")
    assert alpha.loc["4", 40] > alpha.loc["4", 0] + 0.05
    explained = monitor.to_frame().pivot(index="layer", columns="step", values="explained")
    assert explained.loc["4", 40] > explained.loc["4", 0] + 0.05


def test_steps_are_compared_with_an_earlier_one(digits):
    X, y = digits
    module = make_net()
    monitor = SmoothnessMonitor(module, X, y, every=40, n_samples=300)
    train(module, X, y, lambda _: monitor.step(), n_steps=40)
    module[4].reset_parameters()
    monitor.record(41)
    frame = monitor.to_frame(reference_step=40)
    before, after = (part.reset_index() for _, part in frame.groupby("step"))
    assert (before["reference_difference"] == 0).all()
    assert (before["reference_p_value"] == 1).all()
    assert list(after["loses_to_reference"]) == [False, False, True]
    gained = pickle.loads(pickle.dumps(monitor)).to_frame(reference_step=41)
    assert_allclose(
        gained["reference_difference"][:3], -after["reference_difference"], atol=1e-12
    )
    names = [name for name in frame if name not in monitor.to_frame()]
    assert_frame_equal(frame.drop(columns=names), monitor.to_frame())
    by_table = compare_layers(
        module,
        *(monitor.X, monitor.y),
        estimator=BesovSmoothnessEstimator(3, random_state=0),
        reference=make_net(),
        random_state=0,
    )
    assert list(by_table.columns[-len(names) :]) == names
    with pytest.raises(ValueError, match=r"reference_step=3 .* \[40, 41\]"):
        monitor.to_frame(reference_step=3)


def test_a_record_is_what_compare_layers_gives(digits):
    X, y = digits
    module = make_net()
    monitor = SmoothnessMonitor(module, X, y, n_samples=len(X), probes=["nc1"])
    monitor.record()
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    expected = compare_layers(module, X, y, None, estimator, ["nc1"], random_state=0)
    assert_frame_equal(
        values(monitor.to_frame()).drop(columns="step"), values(expected.frame)
    )


def test_training_does_not_notice(digits):
    X, y = digits
    plain, watched = make_net(), make_net()
    plain[1].eval()  # a frozen normalisation
    watched[1].eval()
    torch.manual_seed(1)
    train(plain, X, y, lambda _: None)
    numbers = torch.rand(3)

    monitor = SmoothnessMonitor(watched, X, y, **FAST)

    def record(_):
        modes = [part.training for part in watched.modules()]
        gradients = [p.grad.clone() for p in watched.parameters()]
        state = numpy_state()
        monitor.step()
        assert [part.training for part in watched.modules()] == modes
        for p, gradient in zip(watched.parameters(), gradients, strict=True):
            assert torch.equal(p.grad, gradient)
        assert_array_equal(numpy_state(), state)
        assert torch.is_grad_enabled()

    torch.manual_seed(1)
    train(watched, X, y, record)
    assert torch.equal(torch.rand(3), numbers)
    for ours, theirs in zip(
        watched.state_dict().values(), plain.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)
    assert sum(hooks_of(watched)) == 0


def test_every_record_is_of_the_same_samples(digits):
    X, y = digits
    open_ended = BesovSmoothnessEstimator(3, random_state=np.random.RandomState(0))
    for options in ({}, dict(estimator=open_ended), dict(random_state=None)):
        monitor = SmoothnessMonitor(make_net(), X, y, **FAST, **options)
        monitor.record(0)
        monitor.record(1)
        first, second = (part for _, part in monitor.to_frame().groupby("step"))
        columns = ["alpha", "alpha_low", "explained", "noise", "held_out"]
        assert_allclose(first[columns], second[columns], rtol=0)


def test_subsample_is_of_all_samples(digits):
    X, y = digits
    monitor = SmoothnessMonitor(None, X, y, n_samples=100)
    assert monitor.X.shape == (100, 64)
    rows = [np.flatnonzero((row == X).all(axis=1))[0] for row in monitor.X]
    assert_array_equal(monitor.y, y[rows])
    assert rows == sorted(rows)
    assert max(rows) > 500
    other = SmoothnessMonitor(None, X, y, n_samples=100, random_state=1)
    assert (other.X != monitor.X).any()
    assert len(SmoothnessMonitor(None, X, y).X) == 500
    assert len(SmoothnessMonitor(None, X, y, n_samples=10_000).X) == len(X)


def test_data_sets_are_read_once(digits):
    X, y = digits

    class Augmented(torch.utils.data.Dataset):
        n_read = 0

        def __len__(self):
            return len(X)

        def __getitem__(self, i):
            Augmented.n_read += 1
            return torch.tensor(X[i]) + 0.01 * torch.rand(64), y[i]

    module = make_net()
    state = torch.random.get_rng_state()
    monitor = SmoothnessMonitor(module, Augmented(), **FAST)
    assert torch.equal(torch.random.get_rng_state(), state)
    monitor.record(0)
    monitor.record(1)
    assert Augmented.n_read == FAST["n_samples"]
    assert monitor.to_frame()["alpha"].nunique() == 1
    given = SmoothnessMonitor(module, Augmented(), y[::-1].copy(), **FAST)
    assert (given.y != monitor.y.numpy()).any()


def test_dicts_of_arrays():
    rng = np.random.RandomState(0)
    ids, y = rng.randint(20, size=(200, 4)), rng.randint(2, size=200)

    network = Network(
        lambda self, ids, scale: self.embedding(ids) * scale[:, None],
        embedding=nn.Embedding(20, 8),
    )
    X = dict(ids=ids, scale=np.ones((200, 1)))
    monitor = SmoothnessMonitor(network, X, y, ["embedding"], n_samples=50)
    monitor.record()
    assert list(monitor.to_frame()["n_features"]) == [32]


def test_a_step_recorded_again_replaces_the_record(digits):
    monitor = SmoothnessMonitor(make_net(), *digits, **FAST)
    monitor.record(loss=2.0)
    monitor.record(loss=1.0)
    assert list(monitor.to_frame()["loss"]) == [1.0]


def test_options_reach_compare_layers(digits):
    X, y = digits
    monitor = SmoothnessMonitor(make_net(), X, y, n_samples=150, n_components=8, n_jobs=2)
    monitor.record()
    assert list(monitor.to_frame()["n_features"]) == [8, 8, 8]


def test_copies_record_on_their_own(digits):
    monitor = SmoothnessMonitor(make_net(), *digits, **FAST)
    monitor.record()
    for other in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        other.record(1)
        assert len(other.to_frame()) == 2
    assert len(monitor.to_frame()) == 1


# --- what goes wrong ---------------------------------------------------------------


def test_nothing_to_record_or_to_show(digits):
    monitor = SmoothnessMonitor(None, *digits, every=5)
    monitor.step()
    with pytest.raises(NotFittedError, match="nothing yet"):
        monitor.to_frame()
    with pytest.raises(ValueError, match="no module"):
        monitor.record()


def test_errors_name_the_layer(digits):
    module = make_net()
    monitor = SmoothnessMonitor(module, *digits, n_samples=150)
    nn.init.constant_(module[0].weight, torch.inf)
    with pytest.raises(ValueError, match="Layer '3' gives NaN"):
        monitor.record()
    assert module.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(every=0), "every"),
        (dict(n_samples=2), "n_samples"),
        (dict(estimator="forest"), "estimator"),
        (dict(probes=["kmeans"]), "Unknown probes"),
        (dict(y=None), "y is required"),
        (dict(y=np.zeros(3)), "600 samples, but y has 3"),
        (dict(X=iter([1])), "X"),
        (dict(X={}), "without entries"),
        (dict(sample_weight=np.ones(600)), "sample_weight"),
        (dict(poling="mean"), r"Unknown options \['poling'\]"),
    ],
)
def test_bad_arguments(digits, options, message):
    arguments = dict(zip("Xy", digits, strict=True)) | options
    with pytest.raises((ValueError, TypeError), match=message):
        SmoothnessMonitor(make_net(), **arguments)


def test_what_a_monitor_cannot_draw_from(digits):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            yield from X

    X, y = map(torch.tensor, digits)
    TensorDataset = torch.utils.data.TensorDataset
    for data, error, message in (
        (torch.utils.data.DataLoader(TensorDataset(X, y)), TypeError, "pass its dataset"),
        (Stream(), TypeError, "must have a length"),
        (TensorDataset(X, y, y), ValueError, "pairs"),
    ):
        with pytest.raises(error, match=message):
            SmoothnessMonitor(make_net(), data)


# --- callbacks ---------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "recorded"), [("epoch", [0, 2]), ("step", [0, 2, 4, 6])])
def test_hooks_of_a_callback(digits, unit, recorded):
    monitor, module = SmoothnessMonitor(None, *digits, **FAST, every=2), make_net()
    callback = TrainingCallback(monitor, unit)
    for _ in range(2):  # a second training begins anew
        callback.reset()
        callback.before_training(module, 0)
        for epoch in range(1, 4):
            callback.after_step(module, 2 * epoch - 1, {"loss": 0.3})
            callback.after_step(module, 2 * epoch, {"loss": 0.2})
            callback.after_epoch(module, epoch, {"loss": 0.1})
        frame = monitor.to_frame()
        assert list(frame["step"]) == recorded
        assert set(frame["loss"][1:]) == {0.1 if unit == "epoch" else 0.2}
    callback.before_training(module, 2, {"loss": 9.9})  # goes on: it is recorded already
    assert_frame_equal(monitor.to_frame(), frame)


def test_callbacks_record_another_module_if_it_is_given(digits):
    other = make_net()
    monitor = SmoothnessMonitor(other, *digits, **FAST)
    callback = TrainingCallback(monitor)
    callback.before_training(None, 0)
    callback.after_epoch(None, 1)
    assert monitor.to_frame()["alpha"].nunique() == 1


def test_logged_metrics_named_like_a_column_do_not_end_a_training(digits):
    monitor = SmoothnessMonitor(Net(), *digits, **FAST, probes=["nc1"])
    metrics = {"step": 3.0, "alpha": 1.0, "nc1": 4.0, "loss": 2.0}
    TrainingCallback(monitor).after_epoch(None, 1, metrics)
    row = monitor.to_frame().iloc[0]
    logged = ["logged_step", "logged_alpha", "logged_nc1", "loss"]
    assert row[logged].tolist() == list(metrics.values())
    with pytest.raises(ValueError, match=r"must not be called \['alpha'\]"):
        monitor.record(alpha=1.0)


def test_units():
    with pytest.raises(ValueError, match="unit must be"):
        TrainingCallback(None, "batch")


def test_missing_libraries():
    code = """
import sys
missing = ("skorch.callbacks", "lightning.pytorch", "pytorch_lightning", "transformers")
for name in missing:
    sys.modules[name] = None
import numpy as np, sksmooth
monitor = sksmooth.SmoothnessMonitor(None, np.ones((9, 2)), np.ones(9))
for library in ("skorch", "lightning", "transformers"):
    try:
        getattr(monitor, f"{library}_callback")()
    except ImportError as error:
        assert library in str(error).partition("pip install ")[2], error
    else:
        raise AssertionError(library)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- skorch ------------------------------------------------------------------------


def skorch_net(*callbacks, max_epochs=4):
    import skorch

    return skorch.NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        max_epochs=max_epochs,
        lr=0.1,
        batch_size=100,
        iterator_train__shuffle=True,
        callbacks=list(callbacks),
        verbose=0,
    )


@needs_skorch
def test_skorch_epochs(digits):
    monitor = SmoothnessMonitor(None, *digits, **FAST, every=2)
    net = skorch_net(monitor.skorch_callback())
    torch.manual_seed(0)
    net.fit(*digits)
    frame = monitor.to_frame()
    assert list(frame["step"]) == [0, 2, 4]
    assert {"train_loss", "valid_loss", "valid_acc"} < set(frame.columns)
    assert not {"dur", "epoch", "train_batch_count"} & set(frame.columns)
    assert_allclose(frame["train_loss"][1:], net.history[:, "train_loss"][1::2])
    net.partial_fit(*digits)
    assert list(monitor.to_frame()["step"]) == [0, 2, 4, 6, 8]
    net.fit(*digits)
    assert list(monitor.to_frame()["step"]) == [0, 2, 4]

    torch.manual_seed(0)
    alone = skorch_net().fit(*digits)
    torch.manual_seed(0)
    net.fit(*digits)
    for ours, theirs in zip(
        net.module_.parameters(), alone.module_.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


@needs_skorch
def test_skorch_steps(digits):
    monitor = SmoothnessMonitor(None, *digits, **FAST, every=3)
    net = skorch_net(monitor.skorch_callback("step"), max_epochs=2).fit(*digits)
    # 480 samples train, the others validate.
    assert list(monitor.to_frame()["step"]) == [0, 3, 6, 9]
    loaded = pickle.loads(pickle.dumps(net)).partial_fit(*digits)
    steps = loaded.callbacks[0].monitor.to_frame()["step"]
    assert list(steps) == [0, 3, 6, 9, 12, 15, 18]


@needs_skorch
def test_skorch_nets_are_cloned_and_pickled(digits):
    monitor = SmoothnessMonitor(None, *digits, **FAST)
    net = skorch_net(monitor.skorch_callback(), max_epochs=1).fit(*digits)
    again = clone(net).fit(*digits)
    assert len(again.callbacks[0].monitor.to_frame()) == 2
    assert again.callbacks[0].monitor is not monitor
    loaded = pickle.loads(pickle.dumps(net))
    assert_frame_equal(loaded.callbacks[0].monitor.to_frame(), monitor.to_frame())


# --- Lightning ---------------------------------------------------------------------


def lightning_training(digits, *callbacks, max_epochs=3, **options):
    library = importlib.import_module("lightning.pytorch")
    options |= dict(max_epochs=max_epochs)
    return train_by_lightning(library, make_net(), *digits, *callbacks, **options)


@needs_lightning
def test_lightning_epochs(digits):
    monitor = SmoothnessMonitor(None, *digits, n_samples=150, layers=["net.4"])
    callback = monitor.lightning_callback()
    module = lightning_training(digits, callback)
    frame = monitor.to_frame()
    assert list(frame["step"]) == [0, 1, 2, 3]
    assert frame["train_loss"].notna().sum() == 3
    assert module.training
    alone = lightning_training(digits)
    for ours, theirs in zip(module.parameters(), alone.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    lightning_training(digits, pickle.loads(pickle.dumps(callback)), max_epochs=1)
    lightning_training(digits, callback, max_epochs=1)
    assert list(monitor.to_frame()["step"]) == [0, 1]


@needs_lightning
def test_lightning_steps(digits):
    monitor = SmoothnessMonitor(None, *digits, n_samples=150, layers=["net.4"], every=2)
    callback = monitor.lightning_callback("step")
    # Two batches a step, so that the number of steps stands still in between.
    lightning_training(digits, callback, max_epochs=2, accumulate_grad_batches=2)
    assert list(monitor.to_frame()["step"]) == [0, 2, 4, 6]


@needs_lightning
def test_lightning_loggers_are_sent_columns(digits, tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    monitor = SmoothnessMonitor(None, *digits, n_samples=150, layers=["net.4"], every=2)
    callback = monitor.lightning_callback(log=["alpha", "explained"])
    loggers = [CSVLogger(tmp_path, "a"), CSVLogger(tmp_path, "b")]
    callback = pickle.loads(pickle.dumps(callback))  # as in other processes
    lightning_training(digits, callback, max_epochs=4, logger=loggers)
    frame = callback.monitor.to_frame()
    assert "alpha/net.4" not in frame  # nor does it record what it has logged
    for logger in loggers:
        written = pd.read_csv(logger.experiment.metrics_file_path)
        written = written.dropna(subset="alpha/net.4")
        assert list(written["step"]) == [0, 12, 24]  # of six batches an epoch
        for column in ("alpha", "explained"):
            assert_allclose(written[f"{column}/net.4"], frame[column], rtol=1e-6)


@needs_lightning
def test_columns_to_log_are_checked_before_the_training(digits):
    monitor = SmoothnessMonitor(None, *digits, **FAST, probes=["nc1"])
    for log in ("slope", ["alpha", "layer"], ["reference_difference"], ["loss"]):
        with pytest.raises(ValueError, match=r"no columns of numbers, .*'alpha', .*'nc1'"):
            monitor.lightning_callback(log=log)
    assert monitor.lightning_callback(log="nc1").logged_columns == ["nc1"]


# --- Transformers ------------------------------------------------------------------


@pytest.fixture(scope="module")
def texts():
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    rng = np.random.RandomState(0)
    ids, y = rng.randint(1, 20, size=(96, 6)), rng.randint(2, size=96)
    ids[np.arange(96), rng.randint(6, size=96)] = 20 + y  # one token tells the class
    return [
        {"input_ids": row, "attention_mask": np.ones(6, int), "labels": int(label)}
        for row, label in zip(ids, y, strict=True)
    ]


def transformers_training(texts, folder, callback=None, resume=None, **options):
    """Train a tiny classifier: three steps an epoch."""
    import transformers

    transformers.set_seed(0)
    network = transformers.DistilBertForSequenceClassification(
        transformers.DistilBertConfig(
            **dict(vocab_size=22, max_position_embeddings=8, n_layers=1, n_heads=2),
            **dict(dim=16, hidden_dim=16, dropout=0.1),
        )
    )
    options = (
        dict(num_train_epochs=3, logging_strategy="epoch", save_strategy="no") | options
    )
    arguments = transformers.TrainingArguments(
        str(folder),
        per_device_train_batch_size=32,
        learning_rate=0.01,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        **options,
    )
    trainer = transformers.Trainer(
        network,
        arguments,
        train_dataset=texts,
        eval_dataset=texts[:32],
        callbacks=[] if callback is None else [callback],
    )
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def text_monitor(texts, **options):
    return SmoothnessMonitor(None, texts, layers=["pre_classifier"], **options)


def test_transformers_epochs(texts, tmp_path):
    monitor = text_monitor(texts)
    trainer = transformers_training(
        texts, tmp_path, monitor.transformers_callback(), eval_strategy="epoch"
    )
    frame = monitor.to_frame()
    assert list(frame["step"]) == [0, 1, 2, 3]
    history = trainer.state.log_history
    for name in ("loss", "eval_loss"):
        expected = [entry[name] for entry in history if name in entry]
        assert_allclose(frame[name], [np.nan, *expected])
    others = {"epoch", "total_flos", "train_loss", "eval_runtime", "train_runtime"}
    assert not others & set(frame)
    assert frame["explained"].iloc[-1] > frame["explained"].iloc[0] + 0.1

    alone = transformers_training(texts, tmp_path, eval_strategy="epoch")
    for ours, theirs in zip(
        trainer.model.parameters(), alone.model.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)
    trainer.args.num_train_epochs = 1
    trainer.train()  # from the start
    assert list(monitor.to_frame()["step"]) == [0, 1]


def test_transformers_steps(texts, tmp_path):
    monitor = text_monitor(texts, every=2)
    transformers_training(
        *(texts, tmp_path, monitor.transformers_callback("step")),
        logging_strategy="steps",
        logging_steps=4,
        max_steps=7,
    )
    frame = monitor.to_frame()
    assert list(frame["step"]) == [0, 2, 4, 6]
    assert list(frame["loss"].notna()) == [False, False, True, False]


def test_transformers_training_that_goes_on(texts, tmp_path):
    monitor = text_monitor(texts)
    callback = monitor.transformers_callback()
    cut = dict(logging_strategy="steps", logging_steps=3)
    transformers_training(
        texts, tmp_path, callback, max_steps=4, save_strategy="steps", save_steps=3, **cut
    )
    # The second epoch was cut short; what is logged at its end precedes its record.
    assert list(monitor.to_frame()["step"]) == [0, 1, 2]
    assert list(monitor.to_frame()["loss"].notna()) == [False, True, False]
    other = text_monitor(texts)
    resumed = pickle.loads(pickle.dumps(other.transformers_callback()))
    checkpoint = str(tmp_path / "checkpoint-3")
    transformers_training(texts, tmp_path, resumed, resume=checkpoint, **cut)
    assert list(resumed.monitor.to_frame()["step"]) == [1, 2, 3]
