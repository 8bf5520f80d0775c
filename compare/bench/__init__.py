"""`compare bench`: step times that can be trusted.

All contestants are alive at once and one works at a time, round by round in a random order. Timings vary between
launches, so every contestant is launched several times. Intervals are of launches first, rounds second.
"""
