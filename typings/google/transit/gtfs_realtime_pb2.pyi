# What is used of the generated bindings, which have no types.
from typing import Any

FeedMessage: Any
FeedHeader: Any
Alert: Any
TranslatedString: Any
