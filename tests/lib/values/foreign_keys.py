"""Private keys that no part of the service can use."""

# PKCS #8 of the unassigned kind 1.3.101.127, not encrypted.
UNKNOWN_KIND = (
    b"-----BEGIN PRIVATE KEY-----\n"
    b"MC4CAQAwBQYDK2V/BCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    b"-----END PRIVATE KEY-----\n"
)
