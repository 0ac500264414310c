"""The contract as judge of a server: what `tinsmith contract check` does, and the repository's own tools use.

From the bottom up: `document` reads the contract; `exchange` is one request with its answer, and the form of
captures; `traffic` reads many of them in order; `judge` and `rules` find what does not fit; `dialects` names
what known servers do otherwise; `report` sums up. None of these sends: traffic may come from anywhere.
`recorder` sends, `probe` and `walk` say what, with the requests of `bodies`; `check` runs one of them.
"""
