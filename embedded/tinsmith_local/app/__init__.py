"""The ASGI app of the embedded service: the wire on one side, `work` and `store` on the other.

A class for each noun of the contract; each operation is a method of its name, which takes a call and returns
a value of the contract. Nothing here computes.
"""
