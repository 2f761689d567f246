"""What the tests of this room have done in processes of their own (see `dev.harness.worker`).

coherence     stopping between COMMIT and publishing, reading without a database
leases        standing still in the middle of a message
transactions  COMMITs that fail, savepoints, connections that vanish
racing        what several do at the same moment
sites         two sites in one process
jobs          what schedulers do, and what an installed app leaves behind
"""
