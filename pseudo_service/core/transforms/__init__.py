"""What a treatment does to dates, codes and places."""
