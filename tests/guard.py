"""How long a test waits for what should come at once: a guard against hangs, never a measure of speed."""

WAIT_S = 300.0
"""Long enough for a machine that is busy with other work; a test that reaches it hangs."""
