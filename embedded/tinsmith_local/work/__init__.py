"""What the embedded service does behind its routes: promises, request order, training and sampling.

Knows the store and the engine, and nothing of HTTP; `app` translates between it and the wire.
"""
