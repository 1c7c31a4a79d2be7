"""Quality control, windows and rules: a pure numpy engine inside a Faust shell."""
