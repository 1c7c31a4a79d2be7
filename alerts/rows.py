"""Rows of the database as models."""

from typing import Any, TypeVar

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

Row = TypeVar("Row", bound=BaseModel)


def read_rows(conn: Connection, kind: type[Row], query: str, values: dict[str, Any]) -> list[Row]:
    """Return what a query finds, one ``kind`` a row; its columns are named as the fields are."""
    with conn.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
