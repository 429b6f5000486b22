"""`onboarding demo`: an installer's whole journey, told while it is made.

The installer is written as a supplier would write it: from the documents, over HTTP, sharing no
code with the service. Its private keys stay in memory.
"""
