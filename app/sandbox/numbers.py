"""What each organisation number of the sandbox does, in words. A test plays every row."""

NUMBERS = {
    "310000019": "all is well: ready right after the confirmation",
    "310000027": "whoever is asked by the decision control or `--auto-confirm` declines",
    "310000035": (
        "Kari may not confirm until she is given the right, at Altinn's page or by the control "
        "(`POST /_sandbox/delegations`, right `nhn-helseid-ta-i-bruk`)"
    ),
    "310000043": "the draft has expired when the person arrives",
    "310000051": "all scopes wait until the API's owner approves them, by the control",
    "310000078": "one scope waits, and is approved after 60 s",
    "310000086": "the API's owner refuses one scope",
    "310000094": "a changed claim waits, while the old value works",
    "310000108": (
        "the token issuer takes the client up 20 s (real time) late: `ready`, but until then it "
        "refuses a token with `invalid_client`"
    ),
    "310000124": "Enhetsregisteret does not know it: refused",
    "310000132": "deleted in Enhetsregisteret: refused",
    "310000175": "a sub-unit of 310000019: refused, its main unit is named",
    "310000183": "nothing is delegated until the control, or a person at Altinn's page, does it",
    "310000191": "delegated, and withdrawn after 60 s",
    "310000205": "delegated, but Altinn sees it 30 s late",
    "310000213": "Altinn answers 503 when asked what it has delegated",
    "310000221": "Altinn's answers contradict each other: one call says no, the other yes",
    "310900028": "removed from Enhetsregisteret, which says so: refused",
    "310900036": "removed from Enhetsregisteret, without a word: refused",
    "310900044": "bankrupt: refused",
    "310900052": "being wound up: accepted, with a warning",
    "310900060": "a municipality, which is a main unit: all is well",
    "310900079": "a part (organisasjonsledd) of 310900060: refused",
    "310900087": "a sub-unit below 310900079: refused, its main unit 310900060 is named",
}
