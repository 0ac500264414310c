"""What the embedded service does behind its routes: promises, lines, the engine thread, models, samplers.

Knows the store and the engine, and nothing of HTTP; `app` translates between it and the wire.
"""
