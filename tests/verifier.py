"""Somebody else's verifier: a real HTTPS server on this machine, with a certificate authority of its own.

It knows one member, counts who asked, and can be told to misbehave.
"""

import json
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

HOST = "localhost"
KNOWN = {"member_number": "PEN0005000168", "national_number": "228597621"}
PERSON = {"full_name": "Hari", "fund": "Sunrise", "secret_note": "not for the session"}


class Verifier:
	"""`asked` are the bodies it got, `headers` those of the last one; `answer` replaces what it says."""

	def __init__(self, folder: Path):
		self.authority, context = _certificates(folder)
		self.asked: list[dict] = []
		self.headers: dict[str, str] = {}
		self.paths: list[str] = []
		self.answer = self.judge
		handler = type("Handler", (_Handler,), {"verifier": self})
		self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
		self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	@property
	def url(self) -> str:
		return f"https://{HOST}:{self.server.server_port}/verify"

	def reset(self) -> None:
		self.asked, self.paths, self.answer = [], [], self.judge

	def judge(self, body: dict) -> tuple[int, dict, bytes]:
		"""Status, headers and content of an honest answer."""
		if body != KNOWN:
			return 200, {}, b'{"verified": false}'
		return 200, {}, json.dumps({"verified": True, **body, **PERSON}).encode()

	def close(self) -> None:
		self.server.shutdown()
		self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
	verifier: Verifier

	def do_POST(self):
		body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
		self.verifier.asked.append(body)
		self.verifier.paths.append(self.path)
		self.verifier.headers = dict(self.headers)
		said = self.verifier.answer(body)
		if said is None:  # it hangs up without a word
			self.close_connection = True
			return
		status, headers, content = said
		self.send_response(status)
		for name, value in headers.items():
			self.send_header(name, value)
		self.end_headers()
		for piece in [content] if isinstance(content, bytes) else content:
			self.wfile.write(piece)
			self.wfile.flush()

	def log_message(self, *_arguments):
		"""Nothing on the screen."""


def drip(seconds: float, answer: bytes):
	"""An answer that comes byte by byte for so long before it says anything."""
	ends = time.monotonic() + seconds
	while time.monotonic() < ends:
		yield b" "
		time.sleep(0.1)
	yield answer


def _certificates(folder: Path) -> tuple[str, ssl.SSLContext]:
	"""A self-signed certificate for this machine: its file, and the server's context."""
	from cryptography import x509
	from cryptography.hazmat.primitives import hashes, serialization
	from cryptography.hazmat.primitives.asymmetric import ec
	from cryptography.x509.oid import NameOID

	key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
	name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
	alternatives = [x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))]
	certificate = (
		x509.CertificateBuilder()
		.subject_name(name)
		.issuer_name(name)
		.public_key(key.public_key())
		.serial_number(x509.random_serial_number())
		.not_valid_before(now - timedelta(hours=1))
		.not_valid_after(now + timedelta(days=1))
		.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
		.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
		.sign(key, hashes.SHA256())
	)
	public, private = folder / "verifier.pem", folder / "verifier.key"
	public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
	private.write_bytes(
		key.private_bytes(
			serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
		)
	)
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(public, private)
	return str(public), context
