"""Key material, and what keys do: hash columns, sign, seal cursors."""
