"""The service as a sandbox runs it: its own code, handed a clock, a header and a banner.

Beside it stand the controls, a process of their own: they do with the service's use cases what a
person, an API's owner or the time would do. Nothing else in the service knows of a sandbox.
"""
