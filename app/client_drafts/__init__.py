"""Client drafts: clients that an installer has asked for and a person has yet to confirm.

The draft's `client_id` is already the id of the client-to-be, because the installer needs it in
its configuration before anyone has confirmed. Nothing can authenticate with that id until then.

A draft is decided once. Two tabs, a double click or a confirmation that races with expiry must
not both win: every decision locks the row and goes through `rules.TRANSITIONS`. A draft that
nobody has confirmed reserves nothing, its key's thumbprint included.
"""
