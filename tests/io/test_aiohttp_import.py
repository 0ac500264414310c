"""aiohttp without the certificates that it reads at import: others find it as it is without us."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ssl

method = ssl.SSLContext.set_default_verify_paths
from tinsmith.io.http.aiohttp_import import aiohttp_module

aiohttp = aiohttp_module()
assert aiohttp_module() is aiohttp is __import__("aiohttp")
assert ssl.SSLContext.set_default_verify_paths is method, "contexts of others are as before"
default = ssl.create_default_context()
late = aiohttp.connector._SSL_CONTEXT_VERIFIED
assert late.verify_mode == ssl.CERT_REQUIRED and late.check_hostname
assert not late.cert_store_stats()["x509"], "nothing was read at import"
wrapped = late.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
assert wrapped.context is late
assert late.cert_store_stats() == default.cert_store_stats(), "read before the first connection"
assert "wrap_bio" not in vars(late) and "wrap_socket" not in vars(late), "read once"
late = aiohttp.connector._SSL_CONTEXT_UNVERIFIED
import socket
with socket.socket() as plain:
    late.wrap_socket(plain, do_handshake_on_connect=False, server_hostname="localhost").close()
assert late.cert_store_stats() == default.cert_store_stats()
print("done")
"""


def test_certificates_are_read_at_the_first_connection() -> None:
    """The import reads none, and whoever uses the contexts of aiohttp finds the certificates in them."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_training_client_loads_no_templates_of_chats() -> None:
    """Tokenizers and chat templates are loaded by who asks for a tokenizer."""
    program = "import sys, tinsmith.clients.training; print([m for m in sys.modules if m == 'jinja2'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
