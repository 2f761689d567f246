"""A Python process of its own on the site: it runs snippets and answers with the value of `result`.

other = worker()
other.run("result = sessions.get(name).current_state", name=opened)
pending = other.start("...")      # runs while the test goes on
pending()                         # waits and returns the result
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Worker:
	def __init__(self, sites: Path, site: str, environment: dict[str, str]):
		self.process = subprocess.Popen(
			[sys.executable, "-u", "-m", "dev.harness.worker", site],
			cwd=sites,
			env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
			stdin=subprocess.PIPE,
			stdout=subprocess.PIPE,
			text=True,
		)
		assert self.process.stdout.readline() == "ready\n"

	def start(self, code: str, **names):
		self.process.stdin.write(json.dumps({"code": code, "names": names}) + "\n")
		self.process.stdin.flush()
		return self._answer

	def run(self, code: str, **names):
		return self.start(code, **names)()

	def kill(self) -> None:
		self.process.send_signal(signal.SIGKILL)
		self.process.wait()

	def stop(self) -> None:
		self.process.stdin.close()
		self.process.stdout.close()
		if self.process.poll() is None:
			self.process.kill()
		self.process.wait()

	def _answer(self):
		line = self.process.stdout.readline()
		answer = json.loads(line)
		if "error" in answer:
			raise WorkerError(answer["error"], answer["traceback"])
		return answer["result"]


class WorkerError(Exception):
	"""A snippet raised; `kind` is the class name of what it raised."""

	def __init__(self, kind: str, text: str):
		super().__init__(f"{kind}\n{text}")
		self.kind = kind


def _serve(site: str) -> None:
	import frappe

	from assistant_session import authentication, compat, sessions
	from assistant_session.authentication import lockout
	from assistant_session.sessions import config, vantage
	from assistant_session.sessions.coherence import leases, ledger, reading, register, writing
	from assistant_session.sessions.coherence.memory import memory
	from assistant_session.sessions.operations import turn_block
	from assistant_session.sessions.tables import session_rows
	from dev.harness.connection import connect
	from tests import databases

	out, sys.stdout = sys.stdout, sys.stderr
	connect(site)
	given = dict(
		frappe=frappe, authentication=authentication, compat=compat, config=config, databases=databases,
		leases=leases, ledger=ledger, lockout=lockout, memory=memory, reading=reading, register=register,
		session_rows=session_rows, sessions=sessions, turn_block=turn_block, vantage=vantage,
		writing=writing,
	)  # fmt: skip
	out.write("ready\n")
	for line in sys.stdin:
		request = json.loads(line)
		names = {**given, **request["names"], "result": None}
		try:
			exec(request["code"], names)
			answer = {"result": names["result"]}
		except BaseException as error:
			answer = {"error": type(error).__name__, "traceback": traceback.format_exc()}
		out.write(json.dumps(answer, default=str) + "\n")


if __name__ == "__main__":
	_serve(sys.argv[1])
