"""`make mutants`: small breaks of the code, one at a time, and whether a test notices.

place      a copy of the repository to break, and an environment with cosmic-ray
sample     which breaks: a seeded draw from those that change what the program does
operators  breaks of our own beside cosmic-ray's: a statement left out, an argument, a link of a query
judges     which tests are most likely to notice a break in a module, the likeliest first
"""
