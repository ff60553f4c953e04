"""``pseudo linkage``: the commands of officers and reviewers."""
