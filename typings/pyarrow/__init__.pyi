# pyarrow ships no types; its names are Any here so that our own code is still checked around it.
from typing import Any, TypeAlias

Array: TypeAlias = Any
ArrowException: type[Exception]
Int64Array: TypeAlias = Any
RecordBatch: TypeAlias = Any
Schema: TypeAlias = Any
Table: TypeAlias = Any

def __getattr__(name: str) -> Any: ...
