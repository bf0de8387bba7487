"""Indexing anew what was written before a search parameter came or changed, while everything goes on."""
