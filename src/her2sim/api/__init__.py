"""her2sim from Python: functions that answer questions, each with a result of one form.

The names are those of ``her2sim`` itself (``import her2sim as h2``); the command line calls the
same functions.
"""
