"""The embedded service: a real small Tinker in this process.

Reached through two doors alone: `local.transport` (beneath the client, for `base_url="local:"`) and `local.serve`
(the same app behind uvicorn). Never imports the clients or `io`; nothing here is loaded by `import tinsmith`.
"""
