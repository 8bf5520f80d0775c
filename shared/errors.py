"""Errors that are the user's to mend."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one paragraph that says what is wrong, where, and what to do about it. The command line prints
    it on stderr and exits with code 2, without a traceback.
    """
