"""What can be done with a session. Each writes through `coherence.writing`.

opening           restored or created; closing it
turn_block        one message processed: the lease, the bot's block, one write at its end
turn_in_progress  that message as the bot sees it
agents, devices   a session routed to one bot agent
identity          who the person is, stored and ended
party             which record of the CRM it belongs to
legal_hold        kept until somebody lifts it
token_renewal     a replaced token: once more, or good for nothing any more
expiry            what is past its time, in batches
desk_edits        what Desk may change of a session's row
"""
