"""`compare bench`: step times that can be trusted.

All contestants are alive at once and work one at a time, round by round in a random order. Timings vary between
launches, so every contestant is launched several times. Intervals are resampled over launches first, rounds second.
"""
