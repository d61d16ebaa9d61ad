"""Seconds of imports, each in processes of its own, less the start of Python."""

from import_time import IMPORTS


class Imports:
    """The statements of benchmarks/import_time.py, with those of other libraries."""

    params = [IMPORTS]
    param_names = ["statement"]

    def timeraw_import(self, statement):
        return f"exec({statement!r})"  # asv puts it into a function: no import * there
