"""What happened, counted: in the process first, once a minute in the database, and as text for Prometheus.

    after_requests  when a worker brings its counts into the database
    workers     figures of each worker's memory, in Redis, for as long as the worker is there
    gauges      what is so right now, asked of the database
    exposition  all of it as Prometheus reads it

Below, because a write counts: `counters` (what this process has counted; thread-safe, per site, dropped after a fork),
`sessions.coherence.figures` (which figures there are, and what one write counts for), `sessions.tables.totals` (Session Metric).

Counting costs no statement and no trip to Redis. What belongs to a transaction is counted when it is committed and
never if it is rolled back (see `sessions.coherence.ledger`); the rest where it is decided. A loss of Redis
loses no count. A worker that is killed loses what it counted since its last flush: one minute's work at the most.
"""
