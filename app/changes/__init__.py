"""That something a reader of a client could see has changed.

One counter per client, raised in the transaction of the change. A notification wakes those who
wait; the row is the truth.
"""
