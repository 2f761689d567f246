"""Whether what is stored is right: found, named and mended.

findings        the kinds of damage
diagnosis       what is wrong with stored sessions
turn_diagnosis  what is wrong with their turns
repair          memory, register and database compared, and mended
overview        what an operator sees of a session, and of the whole site
proxies         whether the site knows its reverse proxies
"""
