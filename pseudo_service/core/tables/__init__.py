"""A record batch on its way through the core: read, treated, counted, receipted."""
