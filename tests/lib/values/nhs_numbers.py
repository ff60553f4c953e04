"""NHS numbers of the 999 range, which is never issued."""


def make_nhs_number(seed: int) -> str:
    """Return a number with a right check digit, the same for the same seed."""
    serial = seed % 1_000_000
    while True:
        digits = [9, 9, 9, *map(int, f"{serial:06d}")]
        total = sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=True))
        check = (11 - total % 11) % 11
        number = "".join(map(str, digits)) + str(check)
        if check < 10 and len(set(number)) > 1:
            return number
        serial = (serial + 1) % 1_000_000
