"""Results of the benchmarks: one JSON file per script, all in the same format.

    {"script": ..., "setup": ..., "transcribed": ..., "date": ..., "commit": ...,
     "load": ..., "cores": ..., "versions": {...},
     "figures": {table: {row: {column: value}}}}

``setup`` says on what the figures were measured. Shares are in per cent where the name of
the column ends with one, times in seconds. An infinite value is the string ``"inf"``, one
that does not exist is null. A run of some parts keeps the tables of the others, and names
them under ``older`` with the date, commit, load and versions of their run. ``transcribed``
figures were measured before there were such files and copied from the page that had them;
their commit is the one that wrote them there.

The tables of ``doc/benchmarks.md`` are made from these files by ``doc/make_figures.py``;
``tests/test_figures.py`` compares the other pages with them. With ``SKSMOOTH_TRY=1`` in the
environment nothing is written, which suits a try at a smaller size.
"""

import json
import math
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
PROVENANCE = ("transcribed", "date", "commit", "load", "versions")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "joblib", "sksmooth")


def write_results(name, figures, *, setup="", libraries=(), append=False):
    """Print the tables and write them to ``results/NAME.json``.

    Parameters
    ----------
    name : str
        Name of the file, which is that of the script.
    figures : dict
        Tables by name: dicts of rows, which are dicts of values by column.
    setup : str
        Sizes, seeds and options that the figures depend on.
    libraries : sequence of str
        Distributions whose versions matter beside those that all files name.
    append : bool
        Keep the tables of the file that are not among the new ones. A script whose parts
        run one by one would otherwise lose the others.
    """
    path = RESULTS / f"{name}.json"
    print_tables(figures)
    if os.environ.get("SKSMOOTH_TRY"):
        return
    older = {}
    if append and path.exists():
        previous = json.loads(path.read_text(encoding="utf-8"))
        run = {key: previous[key] for key in PROVENANCE}
        known = previous.get("older", {})
        kept = previous["figures"].keys() - figures.keys()
        older = {table: known.get(table, run) for table in sorted(kept)}
        figures = previous["figures"] | figures
    script = Path(sys.argv[0]).resolve()
    results = {
        "script": script.relative_to(RESULTS.parents[1]).as_posix(),
        "setup": setup,
        "transcribed": False,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": current_commit(),
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "versions": versions(libraries),
        **({"older": older} if older else {}),
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    path.write_text(to_json(results), encoding="utf-8")
    print(f"written to {path}")


def read_table(name, table):
    """Rows of one table, by their labels, with infinite values and NaN as floats."""
    results = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    special = {"inf": math.inf, None: math.nan}
    return {
        label: {column: special.get(value, value) for column, value in row.items()}
        for label, row in results["figures"][table].items()
    }


def print_tables(figures):
    """Print every table, a line a row."""
    for name, rows in figures.items():
        print(f"\n{name}")
        width = max(len(label) for label in rows)
        for label, row in rows.items():
            cells = (f"{column} {shown(value)}" for column, value in row.items())
            print(f"  {label:{width}s}  {'  '.join(cells)}")


def shown(value):
    """Text of a value, with four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def current_commit():
    """Commit that is checked out, with a plus sign if files differ from it."""
    command = ["git", "-C", str(RESULTS.parent), "describe", "--always", "--dirty=+"]
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.stdout.strip() or None


def versions(libraries=()):
    """Versions of Python and of the distributions that are installed."""
    found = {"python": platform.python_version()}
    for library in (*LIBRARIES, *libraries):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def to_json(results):
    """Text of a results file: a line a row, so that a new run shows as a short diff."""
    head = {name: value for name, value in results.items() if name != "figures"}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    tables = []
    for table, rows in results["figures"].items():
        body = ",\n".join(
            f"   {json.dumps(label)}: {json.dumps(plain(row), allow_nan=False)}"
            for label, row in rows.items()
        )
        tables.append(f"  {json.dumps(table)}: {{\n{body}\n  }}")
    lines.append('"figures": {\n' + ",\n".join(tables) + "\n }")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def plain(row):
    """Values that JSON knows, rounded to six significant digits."""
    return {column: plain_value(value) for column, value in row.items()}


def plain_value(value):
    """One value, without the types of NumPy."""
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float):
        return value
    if math.isnan(value):
        return None
    return float(f"{value:.6g}") if math.isfinite(value) else "inf"
