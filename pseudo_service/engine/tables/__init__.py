"""Use cases of ingestion: streams, single values, texts."""
