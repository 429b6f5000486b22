"""An authority of the sandbox's own, for clients that insist on https."""

from pathlib import Path

import trustme

from app.serving import Certificate


def issue_certificate(folder: Path, hosts: set[str]) -> tuple[Path, Certificate]:
    """The authority's file, which clients are to trust, and a certificate for `hosts`."""
    authority = trustme.CA(organization_name="HelseID onboarding sandbox")
    issued = authority.issue_cert(*sorted(hosts | {"localhost", "127.0.0.1", "::1"}))
    trusted, chain, key = (folder / name for name in ("ca.pem", "chain.pem", "key.pem"))
    authority.cert_pem.write_to_path(str(trusted))
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    return trusted, Certificate(chain, key)
