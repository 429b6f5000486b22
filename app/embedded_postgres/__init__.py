"""A PostgreSQL of our own for the sandbox and the tests, gone when its user is gone.

`launcher` starts a keeper process; the keeper makes the cluster in a temporary folder, runs
PostgreSQL and waits on a pipe. When the pipe ends, for whatever reason, it ends PostgreSQL and
removes the folder. PostgreSQL never runs as root, no user is made, and no folder that was there
before gets another owner or mode. Never for data that somebody wants to keep.
"""
