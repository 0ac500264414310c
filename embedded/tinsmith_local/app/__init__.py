"""The ASGI app of the embedded service: the wire on one side, `work` and `store` on the other.

One module a noun; each operation is a function `(service, call) -> Answer`. Nothing here computes.
"""
