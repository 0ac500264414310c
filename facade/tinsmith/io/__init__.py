"""The wire, the loop and the clock: everything between a decision of `core` and a socket."""
