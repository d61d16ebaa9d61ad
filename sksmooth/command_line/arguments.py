"""Define the arguments of the command line."""

from __future__ import annotations

import argparse
import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from .._version import __version__
from ..index import CONVENTIONS
from ..wavelets import MEASURES
from .errors import CommandError
from .output import write
from .text_files import data_path

__all__ = ["make_parser"]


_ABOUT_FILE = ".csv, .tsv, .txt (also .gz, .bz2, .xz, .zip) with a line of column names, "
_ABOUT_FILE += ".xlsx, .parquet, .npy or .npz; - is standard input (text)"
_ABOUT_JSON = (
    "--json prints one object; an infinite value, such as the upper end of the interval of "
    'a lower bound, is the string "Infinity", and an undefined value is null.'
)


class _Parser(argparse.ArgumentParser):
    """Argument parser with one-line errors; help is printed like all other output."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see {self.prog} --help)")

    def _print_message(self, message: str, file: Any = None) -> None:
        write(message.rstrip("\n"))


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    about = "Measure how smooth labels are as a function of their features."
    parser = _Parser(prog="sksmooth", description=about)
    parser.add_argument("--version", action="version", version=f"sksmooth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    _add_demo_parser(commands)
    _add_measure_parser(commands)
    _add_compare_parser(commands)
    _add_report_parser(commands)
    return parser


def _add_demo_parser(commands: Any) -> None:
    about = "compare features of handwritten digits: a table and a picture"
    parser = commands.add_parser("demo", help=about, description=about)
    about = "the picture: .png, .pdf or .svg (default: %(default)s)"
    picture = Path("sksmooth_demo.png")
    parser.add_argument("--output", type=Path, default=picture, metavar="FILE", help=about)
    _add_run_options(parser)


def _add_measure_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "measure",
        help="measure a data file",
        description="Measure the smoothness of a labelled data set.",
        epilog=_ABOUT_JSON,
    )
    _add_fit_options(parser)
    add = parser.add_argument_group("report").add_argument
    about = "also forecast the error of a forest with more samples"
    add("--forecast", action="store_true", help=about)
    add("--json", action="store_true", help="print one JSON object, no table")
    add("--plot", type=Path, metavar="FILE", help="picture: .png, .pdf or .svg")
    add("--quiet", action="store_true", help="no progress bar")


def _add_compare_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        help="compare many representations of the same samples",
        description="Compare representations of the same samples: files, or sets of "
        "columns of one file. The best comes first, and those tied with it are marked.",
        epilog=f"With several targets, each has a table. {_ABOUT_JSON}",
    )
    about = f"one representation per file, of the same rows: {_ABOUT_FILE}; NAME=FILE "
    about += "gives it a name other than that of the file"
    parser.add_argument("files", nargs="*", metavar="FILE", help=about)
    add = parser.add_argument_group("data").add_argument
    several: Any = dict(action="append", default=[])
    about = "column of labels in one of the files (or npz array; default: y); several "
    about += "columns (commas, * or the option again) are separate targets"
    add("--target", **several, metavar="NAME", help=about)
    about = "file of labels; without --target, all its columns are targets"
    add("--labels", type=data_path, metavar="FILE", help=about)
    about = "set of columns of a single FILE, by commas and *, such as "
    about += "fp='mfcc_*,pitch'; may be repeated; the set of all columns is called all"
    add("--set", **several, dest="sets", metavar="NAME=COLUMNS", help=about)
    about = "column of all files that identifies the samples, by which rows are joined"
    add("--id", metavar="NAME", help=about)
    about = "column of groups of samples that belong together, such as patients"
    add("--groups", metavar="NAME", help=about)
    _add_reading_options(add)
    add = parser.add_argument_group("comparison").add_argument
    about = "representation with which all others are compared"
    add("--baseline", metavar="NAME", help=about)
    folds = _number(int, lambda n_folds: n_folds > 1, "a number of folds, of at least 2")
    about = "measure in N folds (default: out of bag)"
    add("--cv", type=folds, metavar="N", help=about)
    estimator = parser.add_argument_group("estimator", argument_default=argparse.SUPPRESS)
    _add_estimator_options(estimator.add_argument)
    _add_run_options(estimator)
    add = parser.add_argument_group("report").add_argument
    add("--json", action="store_true", help="print one JSON object, no table")
    add("--plot", type=Path, metavar="FILE", help="picture: .png, .pdf or .svg")
    add("--report", type=Path, metavar="FILE", help="report: .html")
    add("--quiet", action="store_true", help="no progress bar")


def _add_report_parser(commands: Any) -> None:
    about = "measure a data file and write a report"
    parser = commands.add_parser(
        "report",
        help=about,
        description="Measure a labelled data set and write the results as one HTML file, "
        "including the classes and samples at which the labels are rough.",
    )
    _add_fit_options(parser)
    add = parser.add_argument_group("report").add_argument
    page = Path("sksmooth_report.html")
    about = "the report: .html (default: %(default)s)"
    add("--output", type=Path, default=page, metavar="FILE", help=about)
    add("--title", metavar="TEXT", help="heading (default: the name of the file)")
    about = "leave out classes, samples and the forecast, which take dozens of fits"
    add("--brief", action="store_true", help=about)
    add("--quiet", action="store_true", help="no progress bar")


def _add_fit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=data_path, metavar="FILE", help=_ABOUT_FILE)
    _add_data_options(parser.add_argument_group("data").add_argument)
    # Options that are not given are not passed on, so the estimator's defaults apply.
    estimator = parser.add_argument_group("estimator", argument_default=argparse.SUPPRESS)
    _add_estimator_options(estimator.add_argument)
    _add_run_options(estimator)


def _add_data_options(add: Callable[..., Any]) -> None:
    add("--target", metavar="NAME", help="column of labels, or npz array (default: y)")
    about = "columns to use, also by commas and * (default: all others), or npz array "
    about += "(default: X)"
    add("--features", nargs="+", metavar="NAME", help=about)
    about = "instead of FILE: features only, with or without a line of names"
    add("--data", type=data_path, metavar="FILE", help=about)
    about = "labels in a file of their own; several columns form one regression target"
    add("--labels", type=data_path, metavar="FILE", help=about)
    _add_reading_options(add)
    share = _number(float, lambda share: 0 < share < 1, "between 0 and 1")
    about = "share of rows to hold out of the fit and score"
    add("--held-out", type=share, metavar="FRACTION", help=about)


def _add_reading_options(add: Callable[..., Any]) -> None:
    add(
        "--drop",
        nargs="+",
        metavar="NAME",
        help="columns to leave out, also by commas and *",
    )
    about = "encoding of text files (default: UTF-8, or else UTF-16 or cp1252, with a note)"
    add("--encoding", metavar="NAME", type=_encoding, help=about)
    about = "decimal separator in text files (default: .)"
    add("--decimal", choices=(".", ","), help=about)
    add("--sheet", metavar="NAME", help="of .xlsx files (default: the first)")
    tasks = ("auto", "classification", "regression")
    about = "auto: numbers with a decimal point are regression, whole numbers and text are "
    about += "classes"
    add("--task", choices=tasks, default="auto", help=about)


def _add_estimator_options(add: Callable[..., Any]) -> None:
    about = "; ".join(f"{name}: {each.summary}" for name, each in CONVENTIONS.items())
    add("--index", choices=list(CONVENTIONS), help=f"{about} (default: mterm)")
    add("--measure", choices=list(MEASURES), help="of a node (default: samples)")
    add("--p", type=float, help="exponent of the norm (default: 2)")
    about = "(default: 10, and more for fewer than 1,000 samples)"
    add("--trees", type=int, dest="n_estimators", metavar="N", help=about)
    add("--max-depth", type=int, metavar="N", help="(default: no limit)")
    about = "features tried at a split: 5, 0.5, sqrt or log2 (default: all)"
    add("--max-features", type=_count_fraction_or_name, metavar="N", help=about)
    about = "rows per tree: 500, or a fraction such as 0.5 (default: 0.8)"
    add("--max-samples", type=_count_or_fraction, metavar="N", help=about)
    about = "without trees of pairs of classes, which take longer (5 or more classes)"
    left_out = dict(dest="class_pairs", action="store_const", const=False)
    add("--no-class-pairs", **left_out, help=about)
    about = "level of the interval (default: 0.95)"
    add("--confidence", type=float, dest="confidence_level", metavar="P", help=about)
    about = "grow trees until half of the interval's length is at most this"
    add("--precision", type=float, metavar="WIDTH", help=about)


def _add_run_options(group: Any) -> None:
    add = group.add_argument
    seed = _number(int, lambda seed: 0 <= seed < 2**32, "between 0 and 2**32 - 1")
    add("--random-state", type=seed, default=0, metavar="SEED", help="(default: 0)")
    jobs = _number(int, lambda n_jobs: n_jobs != 0, "a number of workers; -1 means all")
    about = "workers (default: 1)"
    add("--jobs", type=jobs, dest="n_jobs", default=None, metavar="N", help=about)


def _number(kind: type, is_valid: Callable[[Any], bool], what: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        number = kind(text)
        if not is_valid(number):
            raise argparse.ArgumentTypeError(f"{text} is not {what}")
        return number

    read.__name__ = kind.__name__  # argparse says "invalid int value"
    return read


def _encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError as error:
        raise argparse.ArgumentTypeError(f"Python knows no encoding {text!r}") from error


def _count_or_fraction(text: str) -> int | float:
    """Read ``1`` as one and ``1.0`` as all, as in scikit-learn."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _count_fraction_or_name(text: str) -> int | float | str:
    return text if text in ("sqrt", "log2") else _count_or_fraction(text)
