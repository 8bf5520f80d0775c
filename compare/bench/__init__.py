"""`compare bench`: step times that can be trusted.

All contestants are alive at once and one works at a time, round by round in a random order; every contestant is
launched several times, since a process is itself a random draw; and intervals are of launches first, rounds second.
"""
