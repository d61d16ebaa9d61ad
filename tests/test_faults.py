"""What goes wrong and what must not come of it: promises, each of which is tried."""

import errno
import os
import stat

import pytest

from sksmooth._writing import written_whole

# ------------------------------------------------------- files are written whole or not


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_at_once(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    path.chmod(0o640)
    with written_whole(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == path.suffix
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names_in(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_failure_leaves_the_file_as_it_was(tmp_path, error, old):
    path = tmp_path / "table.csv"
    if old is not None:
        path.write_text(old)
    with pytest.raises(type(error)), written_whole(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise error
    assert names_in(tmp_path) == ([] if old is None else ["table.csv"])
    assert old is None or path.read_text() == old


def test_a_full_disk_is_told_and_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OSError, match=r"No space left on device: .*table.csv"),
        written_whole(path) as temporary,
    ):
        temporary.write_text("new")
    assert names_in(tmp_path) == ["table.csv"]
    assert path.read_text() == "old"


def test_a_device_that_is_full(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    full = tmp_path / "full"

    def write(path):
        path.unlink()
        path.symlink_to("/dev/full")
        path.write_bytes(b"x" * 10**5)

    with (
        pytest.raises(OSError, match="No space left") as caught,
        written_whole(full) as temporary,
    ):
        write(temporary)
    assert caught.value.filename == str(full)
    assert names_in(tmp_path) == []


def test_paths_that_cannot_be_written_are_refused_before_the_work(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in [
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "table.csv", "there is no folder .*no; make it"),
        (tmp_path / "pipe", "is a device or a pipe"),
    ]:
        with pytest.raises(OSError, match=message) as caught, written_whole(path):
            raise AssertionError("the block is not entered")
        assert caught.value.filename == str(path)
    assert names_in(tmp_path) == ["pipe"]


@pytest.mark.parametrize("what", ["folder", "file"])
def test_no_permission_is_told(tmp_path, monkeypatch, what):
    path = tmp_path / "table.csv"
    path.write_text("old")
    refused = tmp_path if what == "folder" else path
    # Modes do not hold the superuser back, who may run the tests.
    monkeypatch.setattr(os, "access", lambda path, _: path != refused)
    with pytest.raises(PermissionError, match="not writable"), written_whole(path):
        raise AssertionError("the block is not entered")
    assert path.read_text() == "old"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "folder" / "table.csv")
    with written_whole(tmp_path / "link.csv") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "folder" / "table.csv").read_text() == "new"


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("n" * 251 + ".csv")
    with written_whole(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_an_error_about_another_file_is_not_changed(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, written_whole(tmp_path / "table.csv"):
        (tmp_path / "missing").read_text()
    assert str(caught.value.filename) == str(tmp_path / "missing")
