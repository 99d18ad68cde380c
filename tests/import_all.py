"""Import every module of prism_rec. Modules named as arguments count as not installed: import_all.py NAME..."""

import importlib
import pkgutil
import sys

sys.modules.update(dict.fromkeys(sys.argv[1:]))

import prism_rec  # noqa: E402

EXTRAS = {"PIL", "httpcore2", "httpx2", "optuna", "ray", "tenacity", "transformers"}

for module in pkgutil.walk_packages(prism_rec.__path__, "prism_rec."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
