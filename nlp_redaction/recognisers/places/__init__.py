"""Recognisers of addresses, postcodes, places and organisations."""
