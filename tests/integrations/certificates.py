"""Certificates for tests: a made-up authority, and what it signs."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """Signs what it is asked for."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Sample authority")
        public = x509.BasicConstraints(ca=True, path_length=None)
        built = self._built(self._name, self._key.public_key(), 0)
        self._itself = built.add_extension(public, critical=True).sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """What to trust, to trust what it signs."""
        return self._itself.public_bytes(serialization.Encoding.PEM).decode()

    def _built(self, name: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC) + timedelta(days=days)
        builder = x509.CertificateBuilder(issuer_name=self._name, subject_name=name, public_key=key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days=2))

    def signs(self, file: Path, address: str = "127.0.0.1", days: int = 0, host: str = "") -> Path:
        """Write a key and its certificate for an address, or a host's name.

        days: how far from now it is valid, two around.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        named = x509.DNSName(host) if host else x509.IPAddress(ipaddress.ip_address(address))
        alternative = x509.SubjectAlternativeName([named])
        built = self._built(_named("Sample supplier"), key.public_key(), days)
        signed = built.add_extension(alternative, critical=False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return file
