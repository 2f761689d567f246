"""The times the run is configured with, and the longest answer that follows from them. All in seconds."""

WORKERS = 3  # that answer together; one more stands aside, behind a way to Redis that can be cut
CONVERSATIONS = 50

LOCK_WAIT = 2  # innodb_lock_wait_timeout
HOLD_WAIT = 4  # Settings: how long a message waits for the one before it
LEASE = 0.8 * HOLD_WAIT  # how long a killed worker's hold outlives it
REGISTER_TTL = (
	5  # assistant_session_register_ttl: so short that memory is believed again soon after each fault
)
REDIS_TIMEOUT = 0.5  # assistant_session_redis_timeout
ATTEMPTS_ALLOWED = 5  # Settings

TRIES = 3  # lock waits of one write, each as long as can be
REDIS_TRIPS = 8  # of one call at the most, each of which may time out
QUEUE = 2  # calls of that kind that a worker answers before ours
BOOT = 8  # new workers on a busy machine

LONGEST_ANSWER = QUEUE * (HOLD_WAIT + TRIES * LOCK_WAIT + REDIS_TRIPS * REDIS_TIMEOUT) + BOOT
LONGEST_READ = 10  # of the Python API: two connects that are refused, a few trips to Redis, a busy machine
PATIENCE = LONGEST_ANSWER + 15  # a client waits longer than the bound, so that a call past it is seen

GRACE = 60  # after the last fault: by then everything must have been acknowledged
FROM_HERE_ALL_KINDS = 60  # a run as long as this plays every kind of fault
