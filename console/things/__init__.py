"""Things as rows, facts and marks, in the words of their declaration."""
