"""A TCP proxy in front of Redis that can be cut: one worker loses Redis while the others keep it."""

import socket
import threading


class Proxy:
	def __init__(self, target_port: int):
		self.target_port = target_port
		self.listener = socket.create_server(("127.0.0.1", 0))
		self.port = self.listener.getsockname()[1]
		self.open = True
		self.pairs: list[tuple[socket.socket, socket.socket]] = []
		threading.Thread(target=self._accept, daemon=True).start()

	@property
	def url(self) -> str:
		return f"redis://127.0.0.1:{self.port}"

	def cut(self) -> None:
		self.open = False
		for pair in self.pairs:
			for end in pair:
				_hang_up(end)
		self.pairs.clear()

	def mend(self) -> None:
		self.open = True

	def close(self) -> None:
		self.cut()
		self.listener.close()

	def _accept(self) -> None:
		while True:
			try:
				incoming, _address = self.listener.accept()
			except OSError:
				return
			if not self.open:
				incoming.close()
				continue
			try:
				pair = (incoming, socket.create_connection(("127.0.0.1", self.target_port)))
			except OSError:  # nobody listens there: nobody shall wait here
				incoming.close()
				continue
			self.pairs.append(pair)
			if not self.open:  # cut while we connected
				self.cut()
				continue
			for source, sink in (pair, pair[::-1]):
				threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
	try:
		while chunk := source.recv(65536):
			sink.sendall(chunk)
	except OSError:
		pass
	finally:
		_hang_up(source)
		_hang_up(sink)


def _hang_up(end: socket.socket) -> None:
	"""Close so that the other side notices, and a thread of ours that reads from it as well."""
	try:
		end.shutdown(socket.SHUT_RDWR)
	except OSError:  # it is gone already
		pass
	end.close()
