"""Suites of airspeed velocity: small data, each beside the alternative in the same suite.

    pip install asv virtualenv
    cd benchmarks/asv
    asv machine --yes                    # once
    asv run --python=same --quick        # what is installed
    asv continuous main HEAD             # two commits

The scripts in benchmarks ask the same at real size, and more. What they share with the
suites is imported from them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
