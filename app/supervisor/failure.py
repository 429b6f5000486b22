"""The one way in which the sandbox does not start."""


class SandboxFailed(Exception):
    """One clear line for whoever typed the command."""
