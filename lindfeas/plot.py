"""`lindfeas.plot`, a function in its module's place, for ``from lindfeas.plot import figure``."""

import sys

from lindfeas.pictures import plot

sys.modules[__name__] = plot  # type: ignore[assignment]
