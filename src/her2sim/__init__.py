"""her2sim: simulate HER2-targeted cancer therapy, from the HER2 test to survival.

``import her2sim as h2`` has the functions that ``__init__.pyi`` lists; each is read when it is
first asked for.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
