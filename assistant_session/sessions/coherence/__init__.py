"""What keeps every worker's memory right: whoever reads sees what was committed last.

register   versions in Redis, by which memory is believed or not
memory     the rows this process has seen lately
reading    a session from memory if the register vouches for it, else from the database
leases     the right to process a session's messages, one at a time
ledger     what a database transaction changed, told to the register at its end
writing    one write to a session: mark, compare and set, merge
repeating  a write done again when the database threw the transaction away
flushing   counts brought into the database
figures    what one write counts for in the metrics
"""
