"""The conventions that ``index=`` chooses from. Each is a file, registered here."""

from .base import Convention
from .elisha_dekel import ElishaDekel
from .mterm import MTerm
from .sparsity_probe import SparsityProbe
from .weak_lp import WeakLp

__all__ = ["CONVENTIONS", "DEFAULT", "Convention"]

CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (MTerm(), WeakLp(), ElishaDekel(), SparsityProbe())
}
DEFAULT = CONVENTIONS["mterm"]
