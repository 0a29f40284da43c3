"""HTTPS: the operator's certificate, or one that we make for the local network."""

import ssl
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config import HttpSettings
from server.errors import StartError

LIFETIME = timedelta(days=397)
"""Apple's systems refuse certificates that live longer than 398 days."""

RENEW_BEFORE = timedelta(days=7)
CLOCK_SKEW = timedelta(hours=1)


def ssl_context(
    settings: HttpSettings, data_dir: Path, addresses: tuple[str, ...], now: datetime
) -> ssl.SSLContext | None:
    """None without TLS. Raises StartError for a certificate that cannot be used."""
    if not settings.serves_tls:
        return None
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        certificate, key = own_certificate(data_dir / "tls", addresses, now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise StartError(
            f"The TLS certificate cannot be used: {error}.",
            "Check MIANSHI_HTTP_TLS_CERTIFICATE and MIANSHI_HTTP_TLS_KEY.",
        ) from None
    return context


def own_certificate(
    directory: Path, addresses: tuple[str, ...], now: datetime
) -> tuple[Path, Path]:
    """A self-signed certificate for these addresses; the one made before while it fits."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    if not _fits(certificate, key, addresses, now):
        directory.mkdir(parents=True, exist_ok=True)
        _make(certificate, key, addresses, now)
    return certificate, key


def _fits(certificate: Path, key: Path, addresses: tuple[str, ...], now: datetime) -> bool:
    if not certificate.exists() or not key.exists():
        return False
    try:
        known = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError, x509.ExtensionNotFound):
        return False
    if private.public_key() != known.public_key():
        return False
    covered = {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    return covered.issuperset(addresses) and now < known.not_valid_after_utc - RENEW_BEFORE


def _make(certificate: Path, key: Path, addresses: tuple[str, ...], now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mianshi on this machine")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [
        x509.IPAddress(ip_address(one)) for one in dict.fromkeys(("127.0.0.1", "::1", *addresses))
    ]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key.touch(mode=0o600)
    key.chmod(0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
