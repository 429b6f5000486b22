"""What happened, who did it, to what. Rows are added in the transaction they tell of.

The database refuses to change or remove one. The worker seals the rows in order with a chain of
hashes, so that what a superuser removes shows.
"""
