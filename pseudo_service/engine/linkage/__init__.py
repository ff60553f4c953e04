"""Use cases of the linkage desk: submit, review, release."""
