# pyarrow makes its compute functions at import time; a type checker cannot see them.
from typing import Any

def __getattr__(name: str) -> Any: ...
