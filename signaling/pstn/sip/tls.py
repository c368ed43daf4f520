"""Contexts for SIP over TLS (RFC 3261 §26.3.1, RFC 5922): who we are, and whom we believe."""

import ssl
from pathlib import Path


def client_context(authorities: Path | None = None, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """For connections that we open: the far end proves the name we mean. Never without.

    `authorities`: a file of CA certificates in place of the system's; `own`: our certificate and key, where a
    carrier asks for them.
    """
    context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if own:
        context.load_cert_chain(*map(str, own))
    return context


def server_context(certificate: Path, key: Path, authorities: Path | None = None) -> ssl.SSLContext:
    """For connections that come; with `authorities`, from those alone who have a certificate of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(certificate), str(key))
    if authorities:
        context.load_verify_locations(str(authorities))
        context.verify_mode = ssl.CERT_REQUIRED
    return context
