"""The contract as judge of a server: what `tinsmith contract check` does, and the repository's own tools use.

`document` reads the contract, `exchange` is one request with its answer, `judge` and `rules` say what does
not fit, `dialects` names what known servers do otherwise, `report` sums up. None of these sends: they judge
traffic, wherever it comes from. `sender`, `probe` and `walk` make traffic on a server.
"""
