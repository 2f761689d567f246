"""What the people do: talkers, talkers with two tabs, members who verify and log out, and thieves who guess."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from assistant_session.demo.directory import national_number

from . import bounds, clients
from .clients import Person, Site, Tab

TWO_TABS, MEMBERS, THIEVES = 6, 8, 3  # of bounds.CONVERSATIONS; the others have one tab
TALK = (15, 60)  # messages before a talker opens another session
READS = 0.5  # how often something is read right after an acknowledged message
WRONG_FIRST = 0.2  # how often a member mistypes a number


@dataclass(frozen=True)
class Credentials:
	number: str
	national_number: str

	@property
	def right(self) -> str:
		return f"{self.number} {self.national_number}"

	def wrong(self) -> str:
		"""The member's number with a national number that is not theirs."""
		other = national_number()
		return f"{self.number} {other if other != self.national_number else '000000/00/0'}"


def start(site: Site, seed: int, members: list[Credentials]) -> list[threading.Thread]:
	"""All of them, each in a thread of their own; `members` are shared out among those who verify."""
	threads = []
	talkers = bounds.CONVERSATIONS - TWO_TABS - MEMBERS - THIEVES
	for number in range(talkers):
		tab = Person(site, f"talker {number}", seed).tab(0)
		threads.append(_begin(tab, lambda tab=tab: talk(tab)))
	for number in range(TWO_TABS):
		threads += _two_tabs(Person(site, f"two tabs {number}", seed))
	share = len(members) // (MEMBERS + THIEVES)
	for number in range(MEMBERS + THIEVES):
		own = members[number * share : (number + 1) * share]
		play, name = (verify, "member") if number < MEMBERS else (guess, "thief")
		tab = Person(site, f"{name} {number}", seed).tab(0)
		threads.append(_begin(tab, lambda tab=tab, own=own, play=play: play(tab, own)))
	return threads


def _begin(tab: Tab, play: Callable[[], None]) -> threading.Thread:
	def begin() -> None:
		try:
			play()
		except clients.Unfinished:
			return  # it is in the log, and the checker says so

	return clients.in_thread(tab.person.name, begin)


def _two_tabs(person: Person) -> list[threading.Thread]:
	first, second, opened = person.tab(0), person.tab(1), threading.Event()

	def begin() -> None:
		first.open("Bank")
		opened.set()
		_until_over(first)

	def follow() -> None:
		while not opened.wait(0.2):
			if first.site.is_over():
				return
		_until_over(second)

	return [_begin(first, begin), _begin(second, follow)]


def _until_over(tab: Tab) -> None:
	while not tab.site.is_over() and say_and_read(tab):
		tab.think()


def talk(tab: Tab) -> None:
	"""One session after the other, each closed before the next."""
	while not tab.site.is_over():
		tab.open("Bank")
		for _number in range(tab.random.randint(*TALK)):
			if tab.site.is_over() or not say_and_read(tab):
				break
			tab.think()
		if not tab.site.is_over():
			tab.insist("close_session", {})
			read(tab)
		tab.leave()


def say_and_read(tab: Tab) -> bool:
	"""A message and, often, a look at the conversation; False once the session does not take messages."""
	status, _body = tab.say(tab.words())
	if tab.random.random() < READS:
		read(tab)
	return status == 200


def read(tab: Tab) -> None:
	if tab.random.random() < 0.5:
		tab.attempt("get_history", {"limit": 20})
	else:
		tab.attempt("resume_session", {})


def verify(tab: Tab, members: list[Credentials]) -> None:
	"""Ask what is protected, prove who one is, ask on, log out; whoever gets locked opens another session."""
	for member in _over_and_over(members):
		if tab.site.is_over():
			return
		tab.open("Pension")
		while not tab.site.is_over() and _one_visit(tab, member):
			tab.think()
		tab.leave()


def _one_visit(tab: Tab, member: Credentials) -> bool:
	"""False once this session does not verify any more."""
	tab.say("How is my pension?", "question")
	read(tab)
	if tab.random.random() < WRONG_FIRST:
		_submit(tab, member.wrong(), "wrong")
	_status, body = _submit(tab, member.right, "right")
	read(tab)
	if not body.get("authenticated"):
		return False
	for _number in range(tab.random.randint(1, 4)):
		tab.say("And my next payment?", "question")
		read(tab)
		tab.think()
	status, _body = tab.insist("logout", {})
	read(tab)
	return status == 200


def guess(tab: Tab, members: list[Credentials]) -> None:
	"""Wrong numbers until the attempts are used up, then the right one, which must not help any more."""
	for member in _over_and_over(members):
		if tab.site.is_over():
			return
		tab.open("Pension")
		tab.say("How is my pension?", "question")
		for _number in range(bounds.ATTEMPTS_ALLOWED + 2):
			if tab.site.is_over():
				break
			_submit(tab, member.wrong(), "wrong")
			read(tab)
			tab.think()
		else:
			_submit(tab, member.right, "late")
			read(tab)
		tab.leave()


def _submit(tab: Tab, text: str, kind: str) -> tuple[int, dict]:
	return tab.say(text, kind, tab.random.choice(["send_message", "submit_credentials"]))


def _over_and_over(members: list[Credentials]):
	while members:
		yield from members
