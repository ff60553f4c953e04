"""How well the search does: scores against gold, their uncertainty, a page to read."""
