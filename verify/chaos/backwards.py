"""A watch in the database: no stored offset of a partition ever moves back."""

from psycopg import Connection

TABLES = ("consumer_offsets", "checkpoints")
WATCH = """
CREATE TABLE moved_back (who text, was bigint, became bigint, at timestamptz DEFAULT now());
CREATE FUNCTION note_moved_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moved_back VALUES
        (TG_TABLE_NAME || ' ' || NEW.topic || '/' || NEW.partition, OLD.next_offset,
         NEW.next_offset);
    RETURN NEW;
END $$"""
TRIGGER = """
CREATE TRIGGER note_moved_back AFTER UPDATE ON {} FOR EACH ROW
WHEN (NEW.next_offset < OLD.next_offset) EXECUTE FUNCTION note_moved_back()"""


def watch_offsets(conn: Connection) -> None:
    """Begin to note every offset that moves back."""
    conn.execute(WATCH)
    for table in TABLES:
        conn.execute(TRIGGER.format(table).encode())


def moved_back(conn: Connection) -> list[str]:
    """Return what moved back, in words."""
    rows = conn.execute("SELECT who, was, became FROM moved_back ORDER BY at")
    return [f"{who}: from {was} back to {became}" for who, was, became in rows]
