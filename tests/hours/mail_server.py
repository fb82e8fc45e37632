"""A mail server for one test: on this machine, with a certificate of its own, keeping what it was sent.

Belongs here: as much of SMTP as a sender needs, with and without STARTTLS. Does not belong here: any expectation.
"""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class MailServer(socketserver.ThreadingTCPServer):
    """`received`: (message, whether it came over TLS). `refuse`: answers every sender with 550."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None, *, refuse: bool = False):
        self.context, self.refuse = context, refuse
        self.received: list[tuple[EmailMessage, bool]] = []
        super().__init__((HOST, 0), _Talk)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.secure = False
        self.say("220 test")
        while line := self.rfile.readline():
            command = line.split()[0].upper().decode() if line.split() else ""
            if command == "QUIT":
                self.say("221 bye")
                return
            if not self.answer(command):
                return

    def answer(self, command: str) -> bool:
        if command == "EHLO":
            offered = ["STARTTLS"] if self.server.context and not self.secure else []
            self.say(*(f"250-{word}" for word in ["test", *offered]), "250 8BITMIME")
        elif command == "STARTTLS" and self.server.context:
            self.say("220 go")
            return self.start_tls(self.server.context)
        elif command == "MAIL" and self.server.refuse:
            self.say("550 unknown sender")
        elif command == "DATA":
            self.say("354 go")
            self.take()
            self.say("250 kept")
        else:
            self.say("250 fine")
        return True

    def start_tls(self, context: ssl.SSLContext) -> bool:
        try:
            self.connection = context.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            return False  # the sender does not trust this certificate
        self.rfile, self.wfile = self.connection.makefile("rb"), cast(Any, self.connection.makefile("wb", 0))
        self.secure = True
        return True

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.received.append((cast(EmailMessage, message), self.secure))

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def finish(self) -> None:
        for stream in (self.wfile, self.rfile, self.connection):
            stream.close()


@contextmanager
def mail_server(context: ssl.SSLContext | None, *, refuse: bool = False) -> Iterator[MailServer]:
    """A server that runs as long as the block; without a context it does not know TLS."""
    with MailServer(context, refuse=refuse) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows, and what a sender that trusts it checks with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "test.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(pem)
    return shown, ssl.create_default_context(cafile=str(pem))
