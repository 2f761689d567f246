// A conversation as people read one: bubbles, the oldest at the top, opened at the end, with what happened between.
frappe.provide("assistant_session");

assistant_session.EVENTS = () => ({
	created: __("Conversation opened"),
	closed: __("Conversation closed"),
	expired: __("Conversation expired"),
	state_changed: __("State changed"),
	context_cleared: __("Context cleared"),
	flow_completed: __("Flow completed"),
	intent_locked: __("Intent locked"),
	intent_changed: __("Intent changed"),
	authenticated: __("Person verified"),
	deauthenticated: __("Verification ended"),
	authentication_failed: __("Verification failed"),
	verification_locked: __("Verification locked"),
	verification_unlocked: __("Verification unlocked"),
	agent_locked: __("Routed to an agent"),
	agent_released: __("Agent released"),
	party_linked: __("Record linked"),
	held: __("Legal hold"),
	exported: __("Exported"),
	erased: __("Erased"),
});

assistant_session.ROLES = () => ({
	user: __("Person"),
	assistant: __("Bot"),
	system: __("Note"),
});

const POLL_MILLISECONDS = 3000;
const LONGEST_POLL_MILLISECONDS = 30000;

assistant_session.Conversation = class {
	constructor(place, session, on_change) {
		this.session = session;
		this.on_change = on_change;
		this.turns = new Map();
		this.events = new Map();
		this.pause = POLL_MILLISECONDS;
		this.place = place;
		this.draw_frame();
		this.loaded = this.load({}).then(() => this.to_end());
		this.follow();
	}

	draw_frame() {
		const { element } = assistant_session;
		this.earlier = element("button", "btn btn-default btn-xs as-earlier", __("Earlier messages"));
		this.earlier.type = "button";
		this.earlier.hidden = true;
		this.earlier.addEventListener("click", () => this.load_earlier());
		this.log = element("div", "as-log");
		Object.assign(this.log, { tabIndex: 0 });
		this.log.setAttribute("role", "log");
		this.log.setAttribute("aria-label", __("Conversation"));
		this.place.replaceChildren(assistant_session.style(), this.earlier, this.log);
	}

	async load(page) {
		const message = await assistant_session.done("read_conversation", { session_id: this.session, ...page });
		if (!message) return;
		message.turns.forEach((turn) => this.turns.set(turn.sequence, turn));
		message.events.forEach((event) => this.events.set(event.sequence, event));
		if (page.after === undefined) this.earlier.hidden = !message.has_more;
		const moved = this.head && this.head.version !== message.version;
		this.head = message;
		this.draw();
		if (moved) this.on_change?.(message);
	}

	async load_earlier() {
		const height = this.log.scrollHeight;
		await this.load({ before: Math.min(...this.turns.keys()) });
		this.log.scrollTop += this.log.scrollHeight - height;
	}

	draw() {
		const at_end = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
		const items = this.items();
		if (!items.length) {
			const text = __("Nobody has said anything yet. Messages appear here as soon as they are stored.");
			this.log.replaceChildren(assistant_session.element("p", "text-muted as-empty", text));
			return;
		}
		this.log.replaceChildren(...items);
		if (at_end) this.to_end();
	}

	// Messages and events by time; of those of one moment the events that are the reason come first.
	items() {
		const turns = [...this.turns.values()].map((turn) => [turn.creation, 1, turn.sequence, () => this.turn(turn)]);
		const events = [...this.events.values()].map((one) => [one.creation, 0, one.sequence, () => this.event(one)]);
		const all = [...turns, ...events].sort((one, other) => this.compare(one, other));
		return all.map(([, , , draw]) => draw());
	}

	compare(one, other) {
		return one[0].localeCompare(other[0]) || one[1] - other[1] || one[2] - other[2];
	}

	turn(turn) {
		const { element, time } = assistant_session;
		const bubble = element("article", `as-turn as-${turn.role}`);
		const head = element("header", "as-head", `${assistant_session.ROLES()[turn.role] || turn.role} · `);
		head.append(time(turn.creation));
		const text = element("p", "as-text", turn.content);
		text.dir = "auto";
		bubble.append(head, text);
		const why = [turn.intent && `${__("Intent")}: ${turn.intent}`, turn.state && `${__("State")}: ${turn.state}`];
		if (why.some(Boolean)) bubble.append(element("footer", "as-why", why.filter(Boolean).join(" · ")));
		return bubble;
	}

	event(event) {
		const { element, time } = assistant_session;
		const line = element("p", "as-event", `${assistant_session.EVENTS()[event.event] || event.event} `);
		const details = assistant_session.readable(event.details);
		if (details) line.append(element("span", "as-details", `${details} `));
		line.append(`· ${event.actor} · `, time(event.creation));
		return line;
	}

	to_end() {
		this.log.scrollTop = this.log.scrollHeight;
	}

	// While the tab is seen: every few seconds, less often when nothing comes.
	follow() {
		this.timer = setTimeout(async () => {
			if (!document.body.contains(this.log)) return;
			if (document.visibilityState === "visible" && this.log.offsetParent) {
				const before = this.head?.version;
				await this.load({ after: Math.max(0, ...this.turns.keys()) }).catch(() => undefined);
				this.pause = this.head?.version === before ? Math.min(this.pause * 1.5, LONGEST_POLL_MILLISECONDS) : POLL_MILLISECONDS;
			}
			this.follow();
		}, this.pause);
	}

	stop() {
		clearTimeout(this.timer);
	}
};

assistant_session.readable = function (details) {
	try {
		return Object.entries(JSON.parse(details || "{}"))
			.filter(([, value]) => value !== null && value !== "")
			.map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
			.join(", ");
	} catch {
		return details;
	}
};

assistant_session.style = function () {
	return assistant_session.element(
		"style",
		"",
		`
.as-log { max-height: 65vh; min-height: 8rem; overflow-y: auto; display: flex; flex-direction: column; gap: 0.5rem;
	padding: 0.75rem; border: 1px solid var(--border-color); border-radius: var(--border-radius-md, 8px); }
.as-log:focus-visible { outline: 2px solid var(--primary); }
.as-earlier { margin-bottom: 0.5rem; }
.as-turn { max-width: min(42rem, 85%); padding: 0.5rem 0.75rem; border-radius: 12px; background: var(--control-bg); }
.as-user { align-self: flex-start; }
.as-assistant { align-self: flex-end; background: var(--bg-blue, #edf6fd); color: var(--text-on-blue, inherit); }
.as-system { align-self: center; background: none; border: 1px dashed var(--border-color); }
.as-head, .as-why, .as-event { font-size: var(--text-xs, 12px); color: var(--text-muted); }
.as-text { margin: 0.15rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.as-event { align-self: center; margin: 0; text-align: center; overflow-wrap: anywhere; }
.as-kept { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0.25rem 1rem; margin: 0 0 1rem; }
.as-kept dt { font-weight: 500; overflow-wrap: anywhere; }
.as-kept dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 500px) { .as-turn { max-width: 95%; } .as-kept { grid-template-columns: 1fr; } }`
	);
};
