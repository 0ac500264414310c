"""Found on `sys.path` in place of the official SDK: installs the stand-in and steps aside for it.

Importlib hands the importer whatever stands in `sys.modules` under this name afterwards.
"""

import sys

from tinsmith import compat

_SELF = sys.modules.pop(__name__)
try:
    compat.install()
    import tinker  # noqa: F401 - no longer this file: the finder answers
except BaseException:
    sys.modules[__name__] = _SELF
    raise
