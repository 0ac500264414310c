"""One request over HTTP: connections, the key, sending until there is an outcome. It knows no order."""
