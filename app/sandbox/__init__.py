"""Stand-ins for the service's neighbours, in one process of their own.

They speak the neighbours' HTTP at the neighbours' paths and share no code with the service's
rooms, so that neither repeats the other's mistakes. Their state lives in memory and nothing of it
survives the process.
"""
