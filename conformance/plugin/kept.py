"""Objects that are kept for a whole pytest session, made when first needed.

The input is pytest's configuration.  The output is the corpus with its implementations, and the
certificate authority.  The kit is imported here, and not before.
"""

from typing import TYPE_CHECKING

import pytest

from conformance.plugin.options import Options

if TYPE_CHECKING:
    from certs import CertificateAuthority
    from conformance.plugin.session import Session

SESSION = pytest.StashKey["Session"]()
REFUSED = pytest.StashKey[bool]()
"""Whether the options have already been reported as invalid, which happens once."""
_AUTHORITY = pytest.StashKey["CertificateAuthority"]()


def session_of(config: pytest.Config) -> "Session":
    """Return the corpus with the implementations that are judged.

    Raises:
        pytest.Collector.CollectError: the options are not valid.
    """
    if SESSION not in config.stash:
        from conformance.plugin.session import Session, exception_marks

        for line in exception_marks():
            config.addinivalue_line("markers", line)
        try:
            session = Session(Options.of(config), authority_of(config))
            config.stash[SESSION] = session
            for line in session.own_marks():
                config.addinivalue_line("markers", line)
        except pytest.Collector.CollectError:
            config.stash[REFUSED] = True
            raise
    return config.stash[SESSION]


def authority_of(config: pytest.Config) -> "CertificateAuthority":
    """Return the certificate authority."""
    if _AUTHORITY not in config.stash:
        from certs import CertificateAuthority

        config.stash[_AUTHORITY] = CertificateAuthority()
    return config.stash[_AUTHORITY]
