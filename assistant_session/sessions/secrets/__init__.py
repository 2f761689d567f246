"""What nobody may read: the site's keys, what is encrypted with them, and credentials masked in texts.

keys        the site's secret, and the keys derived from it, one per purpose
encryption  profiles and pending messages as they are stored
masking     what looks like a credential, taken out of what a person typed
"""
