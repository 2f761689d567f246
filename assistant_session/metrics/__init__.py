"""What happened, counted: in the process first, once a minute in the database, and as text for Prometheus.

    counters    what this process has counted since its last flush; thread-safe, per site, dropped after a fork
    measures    which figures there are, and which of them one write to a session stands for
    flushing    brings the counts into the database, at most once a minute, beside every request and job
    totals      the only writer of Session Metric: hourly figures, and totals that only ever grow
    workers     figures of each worker's memory, in Redis, for as long as the worker is there
    gauges      what is so right now, asked of the database
    exposition  all of it as Prometheus reads it

Counting costs no statement and no trip to Redis. What belongs to a transaction is counted when it is committed and
never if it is rolled back (see `sessions.transaction`); the rest where it is decided. A loss of Redis
loses no count. A worker that is killed loses what it counted since its last flush: one minute's work at the most.
"""
